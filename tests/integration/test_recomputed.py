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
from tests.integration.recomputing_budgets import Cost, Curves, alone, trained
from tests.integration.recomputing_costs import Costs
from tests.integration.recomputing_readings import Readings
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
top = 2
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


@pytest.fixture(scope="module")
def curves(ran: Any) -> Curves:
    """What its searches have reached by spending, by its views."""
    folder, study = ran
    return Curves(folder / "weighbridge.db", study)


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
    assert row["metrics"] == close_to({f"{t} {m}": study.base["test", (t, m)] for t, m in METRICS})


def test_differences_and_their_intervals_are_those_of_the_views(case: Any) -> None:
    compared, study = case
    said = {found["b"]: found for found in compared["differences"]}
    wanted = study.differences("uw-so", "scalarization", OTHERS)
    assert set(said) == {found["b"] for found in wanted}
    for found in wanted:
        assert said[found["b"]] == close_to(found), found["b"]


@pytest.fixture(scope="module")
def readings(ran: Any) -> Readings:
    """The same study read in other ways, by its views."""
    folder, study = ran
    return Readings(folder / "weighbridge.db", study, (*OTHERS, "scalarization", "uw-so"))


def test_shares_of_metrics_are_those_of_the_views(case: Any, readings: Readings) -> None:
    for row in case[0]["rows"][1:]:
        assert row["metric_points"] == close_to(readings.points(row["search"]))
        assert row["metric_shares"] == close_to(readings.shares(row["search"]))


def test_who_is_ahead_is_what_the_views_say(case: Any, readings: Readings) -> None:
    compared, _ = case
    titles = {row["method"]: row["search"] for row in compared["rows"]}
    said = [
        (sorted(titles[one] for one in reading["ahead"]), reading["value"])
        for reading in compared["robustness"]["readings"]
    ]
    assert said == [(ahead, close_to(value)) for ahead, value in readings.readings().values()]


def test_what_tuning_was_worth_is_what_the_views_say(case: Any, readings: Readings) -> None:
    gains = readings.gains()
    assert {one["search"] for one in case[0]["tuning"]} == set(gains)
    for one in case[0]["tuning"]:
        search = one["search"]
        wanted = readings.untuned(search)
        assert {name: one["untuned"][name] for name in wanted} == close_to(wanted)
        assert one["overtuning"] == close_to(readings.overtuning(search))
        gain = gains[search]
        assert one["kept_defaults"] is (gain is None)
        assert gain is None or {name: one["gain"][name] for name in gain} == close_to(gain)


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


@pytest.mark.parametrize(
    ["asked", "by"],
    [
        (["full"], alone),
        (
            ["20epochs", "300epochs"],
            trained,
        ),
    ],
)
def test_equal_budgets_are_those_of_the_views(
    ran: Any, curves: Curves, costs: Costs, asked: list[str], by: Cost
) -> None:
    folder, _ = ran
    options = [word for text in asked for word in ("--at", text)]
    said = command(folder, "compare", "again", *options, "--json").json["budgets"]
    searches = (*OTHERS, "scalarization", "uw-so")
    ends = sorted(curves.points(search, by)[-1].cost for search in searches)
    assert said[-1]["budget"] == (pytest.approx(ends[-1]) if asked == ["full"] else 300)
    for budget in said:
        unsure = {"unsure": costs.unsure} if by is alone else {}
        wanted = curves.at_budget(searches, by, budget["budget"], **unsure)
        valued = [one for one in budget["methods"] if one["value"] is not None]
        assert [{name: one[name] for name in wanted[0]} for one in valued] == close_to(wanted)


def test_samples_are_those_of_the_views(ran: Any, curves: Curves) -> None:
    folder, _ = ran
    (said,) = command(folder, "compare", "again", "--at", "1e9samples", "--json").json["budgets"]
    wanted = curves.at_budget(("uw-so",), curves.samples, 1e9)[0]
    mine = next(one for one in said["methods"] if one["search"] == "uw-so")
    assert {name: mine[name] for name in ("value", "first_cost")} == close_to(
        {name: wanted[name] for name in ("value", "first_cost")}
    )


def test_costs_to_match_are_those_of_the_views(case: Any, curves: Curves) -> None:
    compared, _ = case
    assert {one["search"] for one in compared["cost_to_match"]} == {*OTHERS, "uw-so"}
    for one in compared["cost_to_match"]:
        wanted = curves.to_match(one["search"], "scalarization", alone)
        have = one | {"fair": one["fair_ratio"]["value"], "full": one["full_ratio"]["value"]}
        assert {name: have[name] for name in wanted} == close_to(wanted)


def test_differences_to_sparser_grids_are_those_of_the_views(case: Any, curves: Curves) -> None:
    compared, _ = case
    said = compared["sparser_grids"]
    parts = [
        {"n_points": part["n_points"], "value": part["value"], "difference": gap}
        for part, gap in zip(said["grid"]["parts"], said["differences"], strict=True)
    ]
    assert said["grid"]["step"] == pytest.approx(0.2)
    assert parts == close_to(curves.sparser("uw-so", "scalarization", 1))


def close_to(value: Any) -> Any:
    """The same to 1e-9; what is no number, exactly."""
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-9, abs=1e-9)
    if isinstance(value, Mapping):
        return {key: close_to(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [close_to(part) for part in value]
    return value
