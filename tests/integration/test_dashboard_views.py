"""Search views as pages, over a made-up study: whose numbers they show, and what they say."""

from __future__ import annotations

import csv
import html
import io
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from benchmarks.report_database import MTL, make
from reports import load
from reports.dashboard.concluding.concluder import Concluder
from reports.dashboard.concluding.conclusions import Compared, Question
from reports.dashboard.concluding.studies import compared
from reports.dashboard.concluding.views import task_metrics
from reports.figures._trials import trials
from storage import Reader
from tests.contract.storage_bench import Bench
from tests.integration.dashboards import client, of_table, worked_out, worked_out_csv
from tests.unit.reports import several


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("views") / "w.db"
    make(path, MTL, n_runs=80, n_epochs=2)
    return path


@pytest.fixture(scope="module")
def site(database: Path) -> Iterator[TestClient]:
    with client(database) as opened:
        yield opened


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_views_are_drawn_of_the_reports_own_numbers(site: TestClient, database: Path) -> None:
    reader = Reader(f"sqlite:///{database}")
    frames = load(reader, MTL)
    rows = rows_of(site.get("/study/1/views/course.csv").text)
    for search in frames.searches:
        known = trials(frames, search).set_index("trial")["val"].to_dict()
        told = {int(r["trial"]): float(r["validation"]) for r in rows if r["search"] == search}
        assert told == pytest.approx(known)
    metrics = task_metrics(frames)
    reader.close()
    rows = rows_of(worked_out_csv(site, "tradeoff"))
    by_trial = {(row["search"], int(row["trial"])): row for row in rows}
    assert len(by_trial) == len(metrics.number) > 0
    shown = metrics.primary[:2]
    for at, number in enumerate(metrics.number.tolist()):
        row = by_trial[metrics.searches[metrics.search[at]], number]
        found = [float(row[name.replace(" ", ".")]) for name in shown]
        wanted = [metrics.values[at, metrics.names.index(name)] for name in shown]
        assert found == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("course", "the best so far"),
        ("parameter", "learning rate"),
        ("parallel", "The best 10 trials"),
        ("tradeoff", "On the front"),
    ],
)
def test_a_view_is_two_pictures_and_a_table(site: TestClient, view: str, said: str) -> None:
    page = worked_out(site, f"/views/{view}")
    assert page.count("<svg xmlns") == 2
    assert 'id="table"' in page
    assert said in of_table(page)


def test_what_a_study_has_nothing_for_is_said(site: TestClient) -> None:
    for view in ("simplex", "temperature", "rates", "importances"):
        page = worked_out(site, f"/views/{view}")
        assert 'class="empty">' in page
    for path in ("nix", "curves", "nix.csv", "simplex.csv"):
        assert site.get(f"/study/1/views/{path}").status_code == 404


def test_the_trade_off_of_a_sealed_study_is_on_validation(
    site: TestClient, database: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(database, tmp_path / "sealed.db"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE studies SET sealed_at = created_at")
        connection.execute("UPDATE scores SET value_test = value_test + 1")
    with client(copy) as sealed:
        assert worked_out_csv(sealed, "tradeoff") == worked_out_csv(site, "tradeoff")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("", "needs two studies or more. Got 0 studies"),
        ("study=1", "Got 1 study"),
        ("study=1&study=1", "Got 1 study"),
        ("study=1&study=99", "No study has the number 99"),
        ("study=1&study=x", "No study has the number x"),
        (f"study=1&study={2**63}", "No study has the number"),
        ("&".join(f"study={k}" for k in range(30)), "At most 12 studies"),
    ],
)
def test_studies_that_cannot_be_compared_are_said(site: TestClient, asked: str, said: str) -> None:
    answer = site.get(f"/compare?{asked}")
    assert answer.status_code == 200
    assert said in of_table(answer.text)


def test_studies_are_compared_on_a_page_with_links_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [replace(several.study(name), name=name) for name in ("one", "two")]

    def ask(self: Concluder, question: Question) -> Compared:
        assert [stand.study for stand in question.of] == ["one", "two"]
        return compared(two, *question.arguments)

    monkeypatch.setattr(Concluder, "ask", ask)
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    numbers = [bench.save(name).id for name in ("one", "two")]
    address = "/compare?" + "&".join(f"study={number}" for number in numbers)
    with client(tmp_path / "w.db") as site:
        assert site.get("/").text.count('name="study"') == 3
        for path in (address, f"{address}&at=100epochs"):
            while "load the page again" in (page := site.get(path).text):
                time.sleep(0.02)
            assert compared(two, "").sentence in html.unescape(of_table(page))
            assert all(f'href="/study/{number}"' in page for number in numbers)
        assert "for 100 epochs" in page
    bench.storage.close()
