"""Is the grid in packs cheaper than the line search run by run? The maths, and which searches."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import compare, load
from reports.comparing.break_even import Bill, BreakEven
from reports.inference import Interval
from tests.unit.reports import synthetic

SECONDS = st.floats(1e-3, 1e9)


def bill(search: str, solo_s: float, as_run_s: float, **changes: Any) -> Bill:
    settings: dict[str, Any] = {"title": search.upper(), "finished": 12, "planned": 12}
    return Bill(search=search, solo_s=solo_s, as_run_s=as_run_s, **(settings | changes))


def balance(
    grid: tuple[float, float] = (400.0, 50.0), line: tuple[float, float] = (100.0, 40.0)
) -> BreakEven:
    """Costs are (each run alone, as run)."""
    return BreakEven(grid=bill("grid", *grid), line=bill("line", *line))


def found(made: synthetic.FakeReader) -> BreakEven | None:
    return compare(load(made, synthetic.STUDY)).break_even


# -- the maths ------------------------------------------------------------------------------


@given(SECONDS, SECONDS, SECONDS, SECONDS)
def test_the_grid_is_cheaper_just_if_packs_speed_it_up_by_more_than_is_needed(
    alone: float, as_run: float, line_alone: float, line_as_run: float
) -> None:
    made = balance((alone, as_run), (line_alone, line_as_run))
    assert made.ratio is not None
    assert made.speedup is not None
    assert made.needed_speedup is not None
    assert made.speedup * made.ratio == pytest.approx(made.needed_speedup)
    if not math.isclose(made.ratio, 1.0):
        cheaper = made.speedup > made.needed_speedup
        assert made.verdict == ("cheaper" if cheaper else "dearer")


@given(SECONDS, SECONDS, SECONDS, SECONDS, st.integers(-20, 20))
def test_the_verdict_does_not_depend_on_the_unit(
    alone: float, as_run: float, line_alone: float, line_as_run: float, power: int
) -> None:
    unit = 2.0**power
    made = balance((alone, as_run), (line_alone, line_as_run))
    scaled = balance((alone * unit, as_run * unit), (line_alone * unit, line_as_run * unit))
    assert (scaled.verdict, scaled.ratio) == (made.verdict, made.ratio)


@given(SECONDS, SECONDS, SECONDS)
def test_what_the_line_cost_in_packs_decides_nothing(
    as_run: float, line_alone: float, line_as_run: float
) -> None:
    made = balance((9.0, as_run), (line_alone, line_as_run))
    assert made.verdict == balance((9.0, as_run), (line_alone, 1.0)).verdict


def test_equal_costs_are_equal() -> None:
    assert balance((400.0, 100.0), (100.0, 40.0)).verdict == "equal"


@pytest.mark.parametrize(
    ["as_run", "verdict"],
    [
        (50.0, "In packs the grid is cheaper: GRID took 50 device-seconds as run"),
        (100.0, "In packs the grid costs the same: GRID took 100 device-seconds as run"),
        (12345.0, "Even in packs the grid is dearer: GRID took 12,345 device-seconds as run"),
    ],
)
def test_the_sentence_has_the_verdict_and_both_numbers(as_run: float, verdict: str) -> None:
    assert balance((400.0, as_run)).sentence == (
        f"{verdict}, LINE would take 100 with each run alone (as run, in packs too, it took 40)."
    )


@pytest.mark.parametrize(
    ["grid", "line", "why"],
    [
        ({"finished": 7}, {}, "GRID has 7 of 12 runs."),
        ({}, {"finished": 7}, "LINE has 7 of 12 runs."),
        ({}, {"uncalibrated": 3}, "3 runs of LINE without a calibration."),
        ({"finished": 1}, {"finished": 2}, "GRID has 1 of 12 runs and LINE has 2 of 12 runs."),
    ],
)
def test_costs_that_are_not_final_or_not_known_decide_nothing(
    grid: dict[str, int], line: dict[str, int], why: str
) -> None:
    made = BreakEven(grid=bill("grid", 4.0, 1.0, **grid), line=bill("line", 2.0, 1.0, **line))
    assert made.verdict == "undecided"
    assert made.sentence == (
        f"Undecided whether GRID in packs is cheaper than LINE with each run alone: {why}"
    )


def test_a_grid_without_a_calibration_is_judged_by_its_cost_as_run() -> None:
    grid = bill("grid", 1.0, 1.0, uncalibrated=12)
    assert BreakEven(grid=grid, line=bill("line", 2.0, 1.0)).verdict == "cheaper"


def test_where_nothing_was_spent_there_is_no_ratio_and_no_verdict() -> None:
    made = balance((0.0, 0.0), (0.0, 0.0))
    assert (made.ratio, made.speedup, made.needed_speedup) == (None, None, None)
    assert made.sentence.endswith("LINE has cost nothing.")
    assert json.loads(json.dumps(made.to_plain(), allow_nan=False))["verdict"] == "undecided"


# -- which searches -------------------------------------------------------------------------


def test_it_is_the_weights_grid_against_uw_so() -> None:
    frames = synthetic.frames(fused=True)
    made = compare(frames).break_even
    spent = frames.runs.groupby("search")["method_cost_s"].sum()
    assert made is not None
    assert (made.grid.search, made.line.search) == ("scalarization", "uw-so")
    assert made.grid.as_run_s == pytest.approx(spent["scalarization"])
    assert made.line.solo_s == pytest.approx(2 * spent["uw-so"])
    assert made.verdict == "dearer"  # 126 runs at their cost against 36 at twice theirs


def test_runs_that_were_alone_have_no_break_even() -> None:
    assert compare(synthetic.frames()).break_even is None


@pytest.mark.parametrize("gone", ["scalarization", "uw-so"])
def test_a_study_with_one_of_both_has_no_break_even(gone: str) -> None:
    made = synthetic.reader(epochs=3, fused=True)
    for view in ("run_results", "stage_trials"):
        made.rows[view] = [row for row in made.rows[view] if row["search"] != gone]
    assert found(made) is None


@pytest.mark.parametrize("kind", ["grid", "random"])
def test_uw_so_is_the_line_with_any_strategy(kind: str) -> None:
    made = synthetic.reader(epochs=3, fused=True)
    for row in made.rows["stage_trials"]:
        row["kind"] = kind if row["kind"] == "line" else row["kind"]
    balanced = found(made)
    assert balanced is not None
    assert (balanced.grid.search, balanced.line.search) == ("scalarization", "uw-so")


def test_without_uw_so_another_line_is_taken() -> None:
    made = synthetic.reader(epochs=3, fused=True)
    for row in made.rows["run_results"]:
        row["weighting"] = "dwa" if row["weighting"] == "uw-so" else row["weighting"]
    balanced = found(made)
    assert balanced is not None
    assert balanced.line.title == "DWA"


def test_confirming_and_dropped_runs_are_in_no_bill() -> None:
    made = synthetic.reader(epochs=3, fused=True, confirm=(11, 12))
    dropped = next(row for row in made.rows["run_results"] if row["search"] == "uw-so")
    dropped["planned"] = 0
    balanced = found(made)
    assert balanced is not None
    mine = [row for row in made.rows["run_results"] if row["search"] == "uw-so"]
    counted = [r for r in mine if r["role"] == "search" and r["planned"]]
    assert balanced.line.planned == len(counted) < len(mine)
    assert balanced.line.solo_s == pytest.approx(sum(row["solo_cost_s"] for row in counted))


def test_the_comparison_as_json_holds_it() -> None:
    plain = compare(synthetic.frames(fused=True)).to_plain()["break_even"]
    assert (plain["grid"], plain["line"], plain["verdict"]) == ("scalarization", "uw-so", "dearer")
    assert plain["ratio"] == pytest.approx(plain["grid_as_run_s"] / plain["line_solo_s"])
    assert compare(synthetic.frames()).to_plain()["break_even"] is None


def test_what_timing_does_not_tell_apart_is_undecided() -> None:
    ends = Interval(low=8.0, high=12.0, df=2)
    near = BreakEven(grid=bill("grid", 30.0, 9.0), line=bill("line", 10.0, 6.0, solo_interval=ends))
    assert near.verdict == "undecided"
    assert "GRID took 9 device-seconds as run" in near.sentence
    assert "take 10 (95 % interval 8 to 12) with each run alone" in near.sentence
    far = BreakEven(grid=bill("grid", 30.0, 7.0), line=near.line)
    assert far.verdict == "cheaper"
    assert (far.to_plain()["line_solo_low_s"], far.to_plain()["line_solo_high_s"]) == (8.0, 12.0)
