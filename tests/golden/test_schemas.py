"""Databases of every released schema are opened, read and gone on with."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from storage import Reader, RunState, Storage
from storage.database.opened import SCHEMA_VERSION
from storage.records import Claim
from storage.schema import migrations
from storage.schema.views import VIEWS
from storage.scoring import Selection
from tests.contract.storage_bench import DELTA_M, Bench, end, epoch, reference
from tests.contract.storage_schema import described

_FILES = sorted(Path(__file__).parent.glob("schema_*.db"))
_WITHOUT_OBJECTIVES = [file for file in _FILES if file.stem < "schema_0003"]
_ROWS = {
    "run_results": 9,
    "epoch_metrics": 35,
    "attempt_costs": 9,
    "stage_trials": 5,
    "stage_decisions": 4,
    "baseline_metrics": 4,
    "epoch_timings": 0,
    "gradient_conflicts": 0,
    "run_exhibits": 0,
    "training_rounds": 5,
}
"""Rows of each view; every saved database holds the same study."""


@pytest.fixture(scope="module", params=_FILES, ids=lambda file: file.stem)
def saved(request: pytest.FixtureRequest) -> Path:
    """A saved database, which stays as it is."""
    assert isinstance(request.param, Path)
    return request.param


@pytest.fixture
def url(saved: Path, tmp_path: Path) -> str:
    """A copy of it."""
    return f"sqlite:///{shutil.copy(saved, tmp_path / 'study.db')}"


@pytest.fixture(scope="module")
def reader(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Who looks at another copy of it, migrated in memory."""
    copy = shutil.copy(saved, tmp_path_factory.mktemp("saved") / "study.db")
    reader = Reader(f"sqlite:///{copy}")
    yield reader
    reader.close()


@pytest.fixture
def bench(url: str) -> Iterator[Bench]:
    """A driver that goes on with the saved study."""
    bench = Bench(url, pid=2)
    yield bench
    bench.storage.close()


def test_threads_read_a_copy_in_memory_in_turns(reader: Reader) -> None:
    (study,) = reader.studies()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(reader.view, view, study.name) for view in [*_ROWS] * 20]
        found = [len(each.result()[1]) for each in asked]
    assert found == [*_ROWS.values()] * 20


def test_there_is_a_database_of_every_earlier_schema() -> None:
    scripts = ScriptDirectory(migrations.__path__[0])
    earlier = {f"schema_{script.revision}" for script in scripts.walk_revisions()}
    assert earlier - {f"schema_{SCHEMA_VERSION}"} <= {file.stem for file in _FILES}


def test_opening_brings_it_to_the_present_schema(url: str) -> None:
    Storage(url).close()
    reader = Reader(url)
    assert reader.schema_version == SCHEMA_VERSION
    reader.close()


def test_it_then_has_the_schema_of_a_new_one(url: str, tmp_path: Path) -> None:
    saved, new = Storage(url), Storage(f"sqlite:///{tmp_path / 'new.db'}")
    assert described(saved._database.engine) == described(new._database.engine)
    saved.close()
    new.close()


def test_a_study_is_given_a_birth_that_it_keeps(url: str) -> None:
    births = []
    for _ in range(2):
        storage = Storage(url)
        births.append(storage.study("demo").birth)
        storage.close()
    assert births[0] == births[1]
    assert len(births[0]) == 32


@pytest.mark.parametrize("fixed", [("fused", "it was so", 8), (None, "", None)])
def test_every_search_goes_on_with_the_engine_that_its_study_had(
    url: str, saved: Path, fixed: tuple[str | None, str, int | None]
) -> None:
    engine, reason, rows = fixed
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        table = "searches" if saved.stem > "schema_0002" else "studies"
        connection.execute(f"UPDATE {table} SET engine = ?, engine_reason = ?", (engine, reason))
        if with_rows := saved.stem != "schema_0001":
            connection.execute(f"UPDATE {table} SET stack_rows = ?", (rows,))
    storage = Storage(url)
    found = storage.searches(storage.study("demo").id)
    storage.close()
    assert len(found) == 3
    assert {(of.engine, of.engine_reason) for of in found} == {(engine, reason)}
    assert {of.stack_rows for of in found} == {rows if with_rows else None}


def test_its_run_keys_call_it_as_they_did(bench: Bench, saved: Path) -> None:
    """By its birth; before there were births, by the name that it had."""
    before = saved.stem == "schema_0001"
    assert bench.study.key_name == ("demo" if before else bench.study.birth)


def test_the_class_of_a_failure_is_apart_from_its_text(bench: Bench, saved: Path) -> None:
    text = "holder dead" if saved.stem == "schema_0001" else "its driver's process has ended"
    rows = [row for row in bench.view("attempt_costs") if row["state"] == "lost"]
    assert {(row["failure"], row["failure_text"]) for row in rows} == {("DriverLost", text)}


def test_begin_and_end_of_what_has_no_run_enclose_its_cost(bench: Bench) -> None:
    (start,) = (row for row in bench.view("attempt_costs") if row["startup_s"] == 2.0)
    began, ended = map(datetime.fromisoformat, (start["started"], start["ended"]))
    assert (ended - began).total_seconds() == 2.0


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_read(reader: Reader, view: str) -> None:
    _, rows = reader.view(view, "demo")
    assert len(rows) == _ROWS[view]


def test_values_are_as_they_were(bench: Bench) -> None:
    rows = [row for row in bench.view("run_results") if row["search"] == "ew"]
    finished = next(row for row in rows if (row["trial"], row["seed"]) == (0, 0))
    assert (finished["state"], finished["epoch_selected"]) == ("done", 2)
    assert finished["delta_m_test"] == pytest.approx(-25.0)
    assert finished["method_cost_s"] == 6.5


@pytest.mark.parametrize("saved", _WITHOUT_OBJECTIVES, indirect=True, ids=lambda file: file.stem)
def test_what_runs_and_decisions_went_by_is_read_off_the_card(url: str) -> None:
    tasks = [
        {"name": "a", "metrics": [{"name": "error"}, {"name": "auc"}]},
        {"name": "b", "metrics": [{"name": "score"}]},
    ]
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE studies SET card = ?", [json.dumps({"tasks": tasks})])
    connection.close()
    bench = Bench(url, pid=2)
    named = {(row["search"], row["objective"]) for row in bench.view("stage_decisions")}
    assert named == {("stl/a", "a.error"), ("stl/b", "b.score"), ("ew", "delta_m")}
    for row in bench.view("run_results"):
        if row["objective"] == "delta_m":
            assert row["delta_m_val"] == row["value_val"]
            assert row["delta_m_test"] == row["value_test"]
        else:
            assert row["delta_m_val"] is None
    bench.storage.close()


def test_the_lease_of_the_driver_that_is_gone_is_taken_back(bench: Bench) -> None:
    assert bench.take_back() == 0
    bench.clock.now_s += 100
    assert bench.take_back() == 1


def test_the_study_is_gone_on_with_until_nothing_waits(bench: Bench) -> None:
    bench.clock.now_s += 100
    bench.take_back()
    while claims := bench.claim(2):
        for claim in claims:
            _finish(bench, claim)
    assert not bench.storage.busy_searches(bench.study.id)
    assert bench.storage.totals(bench.study.id).states == {
        # one run's point was dropped: it waits for ever
        RunState.WAITING: 1, RunState.DONE: 6, RunState.DIVERGED: 1, RunState.FAILED: 1
    }  # fmt: skip


def test_what_is_new_is_scored_against_the_saved_baseline(bench: Bench) -> None:
    (claim,) = bench.claim()
    _finish(bench, claim)
    against = bench.storage.baseline(bench.study.id)
    assert against is not None
    bench.storage.score(bench.study.id, DELTA_M, Selection(), reference=reference(against))
    assert bench.outcome(claim.run).value == pytest.approx(-25.0)


def _finish(bench: Bench, claim: Claim) -> None:
    """Train what is left after the newest checkpoint."""
    done = claim.checkpoints[0][1] if claim.checkpoints else 0
    left = [epoch(claim, number, 0.1, 0.1) for number in range(done + 1, 4)]
    assert bench.storage.record([*left, end(claim)]).rejected == []
