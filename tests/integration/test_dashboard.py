"""The dashboard over a real study: what pages say, refuse and leave alone."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from study.cli._printed import Output, outputs_of
from tests.contract.storage_bench import Bench
from tests.contract.test_dashboard import live_of
from tests.integration import dashboards
from tests.integration.command import command
from tests.integration.dashboards import (
    HERE,
    PATHS,
    TRIAL,
    VIEWS,
    client,
    concluded,
    of_table,
    worked_out,
)

STUDY, SPEC = dashboards.STUDY, dashboards.SPEC


@pytest.fixture(scope="module")
def database(spec: Path) -> Path:
    assert command(spec.parent, "run", spec.name, "--workers", "2").code == 0
    return spec.parent / "weighbridge.db"


@pytest.fixture(scope="module")
def site(database: Path) -> Iterator[TestClient]:
    with client(database) as opened:
        yield opened


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


def test_curves_are_told_by_other_measures_and_chosen(site: TestClient) -> None:
    concluded(site)
    asked = {"axis": "epochs", "measure": "validation.kind.error", "curve": ["uw-so", "nix"]}
    found = site.get("/study/1/curves.json", params=asked).json()
    assert found["y"] == "Validation kind.error"
    assert [one["name"] for one in found["series"]] == ["UW-SO"]
    table = of_table(site.get("/study/1/at_budget", params=asked).text)
    assert "Validation kind.error of each method's winner so far for 18 epochs" in table
    by_test = of_table(site.get("/study/1/at_budget?axis=epochs").text)
    assert "Test Δm in %" in by_test
    assert "with its 95 % interval" in by_test
    page = of_table(site.get("/study/1", params=asked).text)
    assert "Drawn: UW-SO. Not drawn: EW." in page


def test_claims_are_those_of_the_verb(site: TestClient, database: Path) -> None:
    found = command(database.parent, "claims", STUDY, "--json").json
    said = [*found["studies"][STUDY], *found["together"]]
    page = html.unescape(of_table(worked_out(site, "/claims")))
    assert {claim["claim"] for claim in said} == set(re.findall(r"\b(C\d+):", page))
    for claim in said:
        assert _letters(claim["said"]) in _letters(page)


def _letters(text: str) -> str:
    """Without what tags of code leave: backticks, and space around them."""
    return re.sub(r"[`\s]", "", text)


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


def test_columns_are_chosen_in_the_address(site: TestClient, database: Path) -> None:
    show = ["value", "p.temperature", "validation.kind.error", "grad_evals", "nix"]
    asked = {"search": "uw-so", "show": show, "sort": "p.temperature", "down": "1"}
    page = of_table(site.get("/study/1/trials", params=asked).text)
    assert "kind error, validation" in page
    rows = list(csv.DictReader(io.StringIO(site.get("/study/1/trials.csv", params=asked).text)))
    named = ["search", "number", "value", "temperature", "validation.kind.error", "grad_evals"]
    assert list(rows[0]) == named
    assert [float(row["temperature"]) for row in rows] == [9, 3, 1]
    with closing(sqlite3.connect(database)) as connection:
        told = connection.execute(
            "SELECT AVG(value) FROM run_results r JOIN epoch_metrics m ON m.run = r.run "
            "AND m.epoch = r.epoch_selected WHERE r.search = 'uw-so' AND r.trial = ? "
            "AND split = 'validation' AND task = 'kind' AND metric = 'error'",
            (rows[0]["number"],),
        ).fetchone()
    assert float(rows[0]["validation.kind.error"]) == pytest.approx(told[0])
    assert float(rows[0]["grad_evals"]) > 0


def test_ranges_of_parameters_are_fields_of_the_form(site: TestClient) -> None:
    page = site.get("/study/1/trials", params={"from.temperature": "2"}).text
    assert "2 of 11 trials, without" in of_table(page)
    assert 'name="from.temperature"' in page
    assert "<details open>" in page
    none = site.get("/study/1/trials", params={"from.lr": "2", "to.lr": "x"}).text
    assert "Limits are numbers" in none


@pytest.mark.parametrize(
    "where", ["lr", "nix > 1", "lr > x", "lr <", ",", "lr > 0," * 20, f"lr > {'1' * 999}"]
)
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


def test_a_trial_tells_the_means_of_its_seeds(site: TestClient) -> None:
    whole_page = site.get(f"/study/1{TRIAL}").text
    page = of_table(whole_page)
    assert "EW, trial 0" in page
    assert "Gradient evaluations" in page
    runs = re.findall(r"/run/(\d+)", whole_page)
    per_run = [site.get(f"/study/1/run/{run}/curves.json?of=loss").json() for run in runs]
    (path,) = re.findall(r'data-chart="([^"]*of=loss)"', whole_page)
    whole = site.get(html.unescape(path)).json()
    for at, one in enumerate(whole["series"]):
        told = [of_run["series"][at]["y"] for of_run in per_run]
        assert one["y"] == [pytest.approx(sum(values) / 2) for values in zip(*told, strict=True)]


def test_a_network_of_one_task_has_no_curve_of_others(site: TestClient) -> None:
    of = {
        search: re.findall(r"of=(\w+)", site.get(f"/study/1/trial/0?search={search}").text)
        for search in ("ew", "stl/kind")
    }
    assert of == {"ew": ["loss", "error", "weight"], "stl/kind": ["loss", "error"]}


def test_what_a_run_has_printed_is_shown(database: Path) -> None:
    with client(database, outputs=outputs_of) as site:
        page = site.get("/study/1/run/1").text
    assert "No output is found from here. What it has printed, if anything, is in" in page
    hostile = Output("s3://far/away", "box", None)
    long = Output("/here", "box", "x" * 30_000 + "<script>alert(1)</script>")
    with client(database, outputs=lambda _: [hostile, long]) as site:
        page = site.get("/study/1/run/1").text
    assert "is in <code>s3://far/away</code> on box" in page
    assert "without the first 10,025 characters" in page
    assert "&lt;script&gt;" in page


def test_nothing_new_is_an_empty_answer(site: TestClient) -> None:
    concluded(site)
    for path in PATHS:
        live = live_of(worked_out(site, path))
        for _ in range(20):  # what earlier looks asked for may be worked out meanwhile
            if (answer := site.get(live)).status_code != 200:
                break
            live = live_of(answer.text)
        assert (answer.status_code, answer.content) == (204, b""), path


def test_machines_read_numbers(site: TestClient) -> None:
    lines = site.get("/metrics").text.splitlines()
    assert f'weighbridge_runs{{study="{STUDY}",state="done"}} 22' in lines
    assert f'weighbridge_epochs_total{{study="{STUDY}"}} 66' in lines
    assert site.get("/healthz").text == "ok\n"


def test_links_to_trials_lead_to_them(site: TestClient) -> None:
    page = site.get("/study/1/trials").text
    links = re.findall(r'<a href="(/study/1/trial/[^"]*)">(\S+) (\d+)</a>', page)
    assert {method for _, method, _ in links} == {"EW", "UW-SO"}
    for path, method, number in links:
        assert f"{method}, trial {number}" in of_table(site.get(html.unescape(path)).text)


@pytest.mark.parametrize(
    "path",
    [
        *("/study/99", "/study/1/run/999", "/nix", "/study/1/trial/0"),
        *("/study/1/trial/999?search=ew", "/study/1/trial/0?search=nix"),
    ],
)
def test_what_is_not_there_is_said(site: TestClient, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert "All studies" in answer.text


def test_a_sealed_study_stays_sealed(database: Path, tmp_path: Path) -> None:
    copy = shutil.copy(database, tmp_path / "sealed.db")
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE studies SET sealed_at = created_at")
        fresh = "SELECT MAX(id) FROM runs GROUP BY trial_id"
        connection.execute(f"UPDATE runs SET role = 'confirm' WHERE id IN ({fresh})")
        tests = {
            f"{value:.4g}"
            for (value,) in connection.execute("SELECT value_test FROM scores")
            if value is not None
        }
        connection.commit()
    assert tests
    with client(Path(copy)) as site:
        # of workers there are times only, any of which may be the same number
        texts = [site.get(f"/study/1{path}").text for path in PATHS if path != "/workers"]
        texts += [site.get("/study/1/trials.csv").text]
        texts += [concluded(site), site.get("/study/1/at_budget").text]
        # the trade-off shows error rates on validation, which are often the same numbers
        others = [path for path in VIEWS if path != "/views/tradeoff"]
        texts += [worked_out(site, path) for path in ("/claims", *others)]
        texts += [site.get(f"/study/1{path}.csv").text for path in others]
        shown = "show=value&show=test&show=test.kind.error"
        texts += [site.get(f"/study/1/trials{kind}?{shown}").text for kind in ("", ".csv")]
        assert texts[-1].splitlines()[0] == "search,number,value"
        last = max(int(run) for run in re.findall(r"/run/(\d+)", site.get(f"/study/1{TRIAL}").text))
        texts += [site.get(f"/study/1/run/{last}").text]
        curves = [
            site.get(f"/study/1/{one}/1/curves.json?of={of}&search=ew").text
            for one in ("run", "trial")
            for of in ("loss", "error")
        ]
        assert not any("test" in text for text in curves)
        told = site.get("/study/1/curves.json?measure=test.kind.error").json()
        assert told["y"] == "Validation Δm in %"
        assert "Test" not in site.get("/study/1/at_budget?measure=test").text
    for text in texts:
        words = of_table(text).split()
        assert {value.replace("-", "−") for value in tests}.isdisjoint(words)
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
        "import sys, time\n"
        "from starlette.testclient import TestClient\n"
        "from reports.dashboard import Access, application\n"
        f"site = TestClient(application('sqlite:///{database}', Access()), base_url={HERE!r})\n"
        "assert site.get('/study/1').status_code == 200\n"
        "while '<svg' not in site.get('/study/1/views/course').text: time.sleep(0.1)\n"
        "while 'headline' not in site.get('/study/1').text: time.sleep(0.1)\n"
        "print(sorted({'torch', 'ray', 'optuna', 'plotly', 'pandas'} & sys.modules.keys()))\n"
    )
    said: Any = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=240
    )
    assert said.stdout.strip() == "[]"
