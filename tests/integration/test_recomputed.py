"""Every number of `compare --json`, and a replay's, worked out again from the SQL views alone."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command import command
from tests.integration.recomputing import Study
from tests.integration.recomputing_costs import Costs
from tests.integration.recomputing_replays import halving
from tests.integration.tiny_study import write_spec

METRICS = [("level", "error"), ("kind", "error"), ("flag", "error")]
MARGIN = 4.0
OTHERS = ("ew", "gls", "uw")
SEARCHES = """
[compare]
margin = 4.0
[[search]]
weighting = ["ew", "gls", "uw"]
stages = [{ lr = [0.02, 0.05, 0.2, 1e20] }]
[[search]]
weighting = "scalarization"
stages = [{ lr = [0.05, 0.2] }, { task_weights = { simplex_step = 0.2 } }]
[[search]]
weighting = "uw-so"
stages = [{ lr = [0.05, 0.2] }, { temperature = { line = [1, 5, 10, 50], refine = 1 } }]
"""
CONFIRMED = """
[confirm]
seeds = 5
"""
CASES = {
    "pooled": ([0, 1, 2], ""),
    "paired": ([0, 1, 2, 3, 4, 5], ""),
    "confirmed": ([0, 1], CONFIRMED),
}


@pytest.fixture(scope="module", params=CASES)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a study that ran through, and its views."""
    (seeds, more), folder = CASES[request.param], tmp_path_factory.mktemp(request.param)
    write_spec(folder, "again", SEARCHES + more, epochs=5)
    spec = folder / "again.toml"
    spec.write_text(spec.read_text().replace("seeds = [0, 1]", f"seeds = {seeds}"))
    said = command(folder, "run", "again.toml", "--workers", "1")
    assert said.code == 0, said.err
    study = Study(folder / "weighbridge.db", metrics=METRICS, seeds=seeds, margin=MARGIN)
    return folder, study


@pytest.fixture(scope="module")
def case(ran: Any) -> Any:
    """What `compare --json` says of it, and its views."""
    folder, study = ran
    return command(folder, "compare", "again", "--json").json, study


@pytest.fixture(scope="module")
def costs(ran: Any) -> Costs:
    """What it has cost, by its views."""
    folder, _ = ran
    return Costs(folder / "weighbridge.db")


def test_the_rows_are_those_of_the_views(case: Any, costs: Costs) -> None:
    compared, study = case
    rows = {row["search"]: row for row in compared["rows"]}
    for search in (*OTHERS, "scalarization", "uw-so"):
        wanted = study.row(search) | costs.row(search)
        said = {name: rows[search].get(name) for name in wanted}
        assert said == close_to(wanted)
    methods = [row["value_test"] for row in compared["rows"] if row["search"] != "stl"]
    assert methods == sorted(methods)


def test_the_single_task_row_is_the_baseline_of_the_views(case: Any) -> None:
    compared, study = case
    row = compared["rows"][0]
    runs = [run for run in study.runs if run["role"] == "baseline"]
    assert row["search"] == "stl"
    assert row["n_runs"] == len(runs)
    assert row["cost_solo_s"] == pytest.approx(math.fsum(r["solo_cost_s"] for r in runs), rel=1e-9)
    assert {f"{t} {m}": row[f"{t} {m}"] for t, m in METRICS} == close_to(
        {f"{t} {m}": study.base["test", (t, m)] for t, m in METRICS}
    )


def test_differences_and_their_intervals_are_those_of_the_views(case: Any) -> None:
    compared, study = case
    said = {found["b"]: found for found in compared["differences"]}
    wanted = study.differences("uw-so", "scalarization", OTHERS)
    assert set(said) == {found["b"] for found in wanted}
    for found in wanted:
        assert said[found["b"]] == close_to(found), found["b"]


def test_replays_are_those_of_the_views(ran: Any) -> None:
    folder, study = ran
    args = ("--search", "scalarization", "--stage", "2", "--eta", "2", "--axis", "epochs")
    said = command(folder, "replay", "again", *args, "--orders", "9", "--json").json
    played = {row["strategy"]: row for row in said["strategies"]}
    wanted = halving(study, "scalarization", _trials(folder), eta=2)
    row = played["halving"]
    have = {name: row[name] for name in ("share", "finds_winner")} | {
        "value": said["value"],
        "at_end": row["at_end"]["value"],
        "epochs": row["cost"]["epochs"],
    }
    assert have == close_to(wanted)
    assert played["random"]["at_end"]["value"] == close_to(wanted["value"])


def _trials(folder: Path) -> list[int]:
    """Those of Scalarization's second stage."""
    with closing(sqlite3.connect(folder / "weighbridge.db")) as connection:
        return [
            trial
            for (trial,) in connection.execute(
                "SELECT trial FROM stage_trials WHERE search = 'scalarization' AND stage = 1"
            )
        ]


def test_the_ratio_of_costs_is_that_of_the_views(case: Any, costs: Costs) -> None:
    compared, _ = case
    assert compared["cost_ratio"] == close_to(costs.ratio("uw-so", "scalarization"))


def close_to(value: Any) -> Any:
    """The same to 1e-9; what is no number, exactly."""
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-9, abs=1e-9)
    if isinstance(value, Mapping):
        return {key: close_to(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [close_to(part) for part in value]
    return value
