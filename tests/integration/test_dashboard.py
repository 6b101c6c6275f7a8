"""The dashboard over a real study: what pages say, refuse and leave alone."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.contract.storage_bench import Bench
from tests.contract.test_dashboard import live_of
from tests.integration.command import command
from tests.integration.dashboards import HERE, PATHS, client

STUDY = "watched"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 3
batch_size = 4
[[search]]
weighting = "ew"
stages = [{{ lr = [0.01, 0.1] }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [0.1] }}, {{ temperature = {{ line = [1, 9] }} }}]
"""


@pytest.fixture(scope="module")
def database(spec: Path) -> Path:
    assert command(spec.parent, "run", spec.name, "--workers", "2").code == 0
    return spec.parent / "weighbridge.db"


@pytest.fixture(scope="module")
def site(database: Path) -> Iterator[TestClient]:
    with client(database) as opened:
        yield opened


def concluded(site: TestClient) -> str:
    """The overview once conclusions have been drawn."""
    while "First conclusions" in (page := site.get("/study/1").text) or "headline" not in page:
        time.sleep(0.05)
    return page


def of_table(page: str) -> str:
    """A page's text without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_the_overview_says_what_compare_says(site: TestClient, database: Path) -> None:
    said = command(database.parent, "compare", STUDY, "--json").json
    page = concluded(site)
    assert said["sentence"] in of_table(page).replace("&#39;", "'")
    assert "done" in page


def test_curves_are_those_of_the_report(site: TestClient) -> None:
    concluded(site)
    found = site.get("/study/1/curves.json?axis=epochs").json()
    assert [one["name"] for one in found["series"]] == ["EW", "UW-SO"]
    assert [one["x"][-1] for one in found["series"]] == [12, 18]
    assert found["from"] < found["to"]


def worked_out(site: TestClient, what: str) -> str:
    """A page of what takes a while, once it is there."""
    while 'role="status">The' in (page := site.get(f"/study/1/{what}").text):
        time.sleep(0.05)
    return page


def test_pictures_are_those_of_the_report(site: TestClient) -> None:
    page = worked_out(site, "pictures")
    assert page.count('<div class="still wide"><svg ') >= 3
    assert "Temperature: UW-SO" in of_table(page)
    (key,) = re.findall(r"points\.csv\?of=(temperature-\d+)", page)
    points = list(csv.DictReader(io.StringIO(site.get(f"/study/1/points.csv?of={key}").text)))
    assert {"1", "9"} <= {row["temperature"] for row in points}
    assert site.get("/study/1/points.csv?of=nix").status_code == 404


def test_claims_are_those_of_the_verb(site: TestClient, database: Path) -> None:
    said = command(database.parent, "claims", STUDY, "--json").json["studies"][STUDY]
    page = of_table(worked_out(site, "claims")).replace("&#39;", "'")
    assert {claim["claim"] for claim in said} == set(re.findall(r"\b(C\d+):", page))
    for claim in said:
        assert claim["said"] in page


def test_a_budget_moves_the_table(site: TestClient) -> None:
    concluded(site)
    first, last = (
        site.get(f"/study/1/at_budget?axis=epochs&budget={place}").text for place in (0, 100)
    )
    assert "6 epochs" in first
    assert "18 epochs" in last


def test_trials_are_filtered_sorted_and_exported(site: TestClient) -> None:
    page = of_table(site.get("/study/1/trials?search=uw-so&sort=number&down=1").text)
    assert "3 of 11 trials" in page
    rows = list(csv.DictReader(io.StringIO(site.get("/study/1/trials.csv?search=ew").text)))
    assert [row["search"] for row in rows] == ["ew", "ew"]
    assert {json.loads(row["params"])["lr"] for row in rows} == {0.01, 0.1}
    found = list(csv.DictReader(io.StringIO(site.get("/study/1/trials.csv?where=lr%3C0.05").text)))
    assert {json.loads(row["params"])["lr"] for row in found} == {0.01}


def test_the_best_trial_is_the_first_in_the_direction_of_what_they_are_ranked_by(
    site: TestClient, tmp_path: Path
) -> None:
    rows = list(csv.DictReader(io.StringIO(site.get("/study/1/trials.csv").text)))
    values = [float(row["value"]) for row in rows]
    assert values == sorted(values)
    assert not any(row["search"].startswith("stl/") for row in rows)
    assert "Validation Δm in %" in site.get("/study/1/trials").text
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    metric = {"name": "score", "direction": "max"}
    bench.study = bench.storage.save_study(
        name="rated",
        spec={"seeds": [0], "objective": "a.score"},
        card={"tasks": [{"name": task, "metrics": [metric]} for task in "ab"]},
        fingerprint="f",
        searches=[("ew", "search", "ew")],
    )
    bench.worker_id = bench.add_worker()
    bench.plan('{"lr":1}', '{"lr":2}', '{"lr":3}')
    for claim, value in zip(bench.claim(3), (0.2, 0.9, 0.5), strict=True):
        bench.train(claim, (value, value))
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection, connection:
        connection.execute(
            "INSERT INTO scores (run_id, baseline_hash, epoch_selected, value_val, value_test) "
            "SELECT run_id, '', 1, value, value FROM epoch_values v JOIN series s "
            "ON s.id = v.series_id WHERE s.metric = 'error' AND s.split = 'validation'"
        )
    with client(tmp_path / "w.db") as rated:
        page = rated.get("/study/2/trials").text
        text = rated.get("/study/2/trials.csv").text
    assert "Validation a.score" in page
    assert [row["value"] for row in csv.DictReader(io.StringIO(text))] == ["0.9", "0.5", "0.2"]


@pytest.mark.parametrize("where", ["lr", "nix > 1", "lr > x", "lr <", ","])
def test_a_filter_that_makes_no_sense_says_what_does(site: TestClient, where: str) -> None:
    answer = site.get("/study/1/trials", params={"where": where})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert site.get("/study/1/trials.csv", params={"where": where}).status_code == 400


def test_a_run_tells_its_curves_and_attempts(site: TestClient) -> None:
    page = of_table(site.get("/study/1/run/1").text)
    assert "Attempt 1: finished" in page
    found = site.get("/study/1/run/1/curves.json?of=loss").json()
    assert {tuple(one["x"]) for one in found["series"]} == {(1, 2, 3)}


def test_nothing_new_is_an_empty_answer(site: TestClient) -> None:
    concluded(site)
    for path in PATHS:
        live = live_of(site.get(f"/study/1{path}").text)
        answer = site.get(live)
        assert (answer.status_code, answer.content) == (204, b"")


def test_machines_read_numbers(site: TestClient) -> None:
    lines = site.get("/metrics").text.splitlines()
    assert f'weighbridge_runs{{study="{STUDY}",state="done"}} 22' in lines
    assert f'weighbridge_epochs_total{{study="{STUDY}"}} 66' in lines
    assert site.get("/healthz").text == "ok\n"


@pytest.mark.parametrize("path", ["/study/99", "/study/1/run/999", "/study/1/trial/999", "/nix"])
def test_what_is_not_there_is_said(site: TestClient, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert "All studies" in answer.text


def test_a_sealed_study_stays_sealed(database: Path, tmp_path: Path) -> None:
    copy = shutil.copy(database, tmp_path / "sealed.db")
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE studies SET sealed_at = created_at")
        tests = {
            f"{value:.4g}"
            for (value,) in connection.execute("SELECT value_test FROM scores")
            if value is not None
        }
        connection.commit()
    assert tests
    with client(Path(copy)) as site:
        texts = [site.get(f"/study/1{path}").text for path in PATHS]
        texts += [site.get("/study/1/trials.csv").text]
        texts += [concluded(site), site.get("/study/1/at_budget").text]
        texts += [worked_out(site, "pictures"), worked_out(site, "claims")]
        curves = [site.get(f"/study/1/run/1/curves.json?of={of}").text for of in ("loss", "error")]
        assert not any("test" in text for text in curves)
        assert site.get("/study/1/curves.json").json()["series"] == []
    for text in texts:
        assert not any(value.replace("-", "−") in of_table(text).split() for value in tests)
        assert "On test" not in text


def test_looking_writes_nothing(database: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(database, tmp_path / "w.db"))
    before = alone.read_bytes()
    with client(alone) as site:
        for path in PATHS:
            site.get(f"/study/1{path}")
        concluded(site)
    assert alone.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["w.db"]


def test_it_loads_no_library_of_training_or_search(database: Path) -> None:
    program = (
        "import sys\n"
        "from starlette.testclient import TestClient\n"
        "from reports.dashboard import Access, application\n"
        f"site = TestClient(application('sqlite:///{database}', Access()), base_url={HERE!r})\n"
        "assert site.get('/study/1').status_code == 200\n"
        "while 'headline' not in site.get('/study/1').text: pass\n"
        "print(sorted({'torch', 'ray', 'optuna', 'plotly'} & sys.modules.keys()))\n"
    )
    said: Any = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stdout.strip() == "[]"
