"""The comparison table and its headline."""

import json
import math
from typing import Any

import pytest

from reports import Comparison, MethodRow, compare, load
from reports.comparing.headline import Contender, headline
from storage.objectives import known
from storage.objectives.delta_m import delta_m
from tests.unit.reports import synthetic

FRESH = (11, 12, 13, 14, 15)

DELTA_M = known([("left", "error", "min")])["delta_m"]


def row_of(comparison: Comparison, search: str) -> MethodRow:
    return next(row for row in comparison.rows if row.search == search)


def contender(weighting: str, value: float, **changes: Any) -> Contender:
    settings = {"title": weighting.upper(), "sd": 0.3, "kind": "cross-fit", "cost_solo_s": 100.0}
    settings |= {"cost_as_run_s": changes.get("cost_solo_s", 100.0), "finished": 12, "planned": 12}
    return Contender(weighting=weighting, value=value, **(settings | changes))


def told(*methods: Contender, finished: int = 36, margin: float = 1.0) -> str:
    return headline(
        methods, objective=DELTA_M, stl=0.0, finished=finished, planned=36, margin=margin
    )


# -- the table ------------------------------------------------------------------------------


def test_rows_are_stl_first_then_best_first() -> None:
    rows = compare(synthetic.frames()).rows
    assert [row.search for row in rows] == ["stl", "scalarization", "uw-so", "uw", "ew"]


def test_counts_are_those_of_the_planned_runs() -> None:
    row = row_of(compare(synthetic.frames(confirm=FRESH)), "uw")
    assert (row.n_trials, row.n_runs, row.n_diverged) == (4, 12, 1)


def test_cost_is_method_cost_without_confirmation_alone_and_as_run() -> None:
    frames = synthetic.frames(confirm=FRESH, fused=True)
    runs = frames.runs[frames.runs["search"] == "uw-so"]
    by_role = runs.groupby("role")["method_cost_s"].sum()
    row = row_of(compare(frames), "uw-so")
    assert row.cost_as_run_s == pytest.approx(by_role["search"])
    assert row.cost_solo_s == pytest.approx(2 * by_role["search"])
    assert row.confirm_solo_s == pytest.approx(2 * by_role["confirm"])


def test_without_packs_both_costs_are_the_same() -> None:
    rows = compare(synthetic.frames()).rows
    assert [row.cost_solo_s for row in rows] == [row.cost_as_run_s for row in rows]


@pytest.mark.parametrize(
    ["changes", "kind"],
    [({"seeds": (1,)}, "same-seed"), ({}, "cross-fit"), ({"confirm": FRESH}, "confirmed")],
)
def test_a_value_rests_on_the_best_that_there_is(changes: dict[str, Any], kind: str) -> None:
    rows = compare(synthetic.frames(**changes)).rows
    assert {row.delta_m_kind for row in rows if row.search != "stl"} == {kind}


def test_a_confirmed_value_is_the_mean_over_fresh_seeds() -> None:
    frames = synthetic.frames(confirm=FRESH)
    fresh = frames.runs.query("role == 'confirm' and search == 'uw-so'")["delta_m_test"]
    row = row_of(compare(frames), "uw-so")
    assert row.delta_m_test == pytest.approx(fresh.mean())
    assert row.seed_sd == pytest.approx(fresh.std())


def test_confirmation_counts_only_when_all_of_it_is_final() -> None:
    made = synthetic.reader(epochs=6, confirm=FRESH)
    last = [row for row in made.rows["run_results"] if row["search"] == "uw-so"][-1]
    last |= {"state": "waiting", "delta_m_val": None, "delta_m_test": None}
    assert row_of(compare(load(made, "x")), "uw-so").delta_m_kind == "cross-fit"


def test_a_winner_that_diverges_on_a_fresh_seed_has_no_finite_value() -> None:
    made = synthetic.reader(epochs=6, confirm=FRESH)
    last = [row for row in made.rows["run_results"] if row["search"] == "uw-so"][-1]
    last |= {"state": "diverged", "delta_m_val": None, "delta_m_test": None}
    row = row_of(compare(load(made, "x")), "uw-so")
    assert row.delta_m_test == math.inf
    assert row.notes == ("the winner diverges on a fresh seed",)


def test_a_cross_fit_value_is_judged_by_the_seed_that_did_not_choose() -> None:
    made = synthetic.tabled([[0.0, 9.0], [8.0, 0.0]], [[1.0, 3.0], [5.0, 1.0]], [("grid", (0, 1))])
    row = row_of(compare(load(made, "x")), "ew")
    assert row.delta_m_test == pytest.approx((5.0 + 3.0) / 2)
    assert row.params == {"lr": 0.002}  # by the mean of all seeds


@pytest.mark.parametrize("confirm", [(), FRESH])
def test_metrics_make_up_the_value_beside_them(confirm: tuple[int, ...]) -> None:
    comparison = compare(synthetic.frames(confirm=confirm))
    baseline = list(row_of(comparison, "stl").metrics.values())
    directions = ["min" if sign > 0 else "max" for *_, sign in synthetic.METRICS]
    for row in comparison.rows[1:]:
        found = delta_m(list(row.metrics.values()), baseline, directions)
        assert found == pytest.approx(row.delta_m_test)


def test_equal_values_are_decided_by_cost() -> None:
    values = [[1.0, 1.0], [1.0, 1.0]]
    made = synthetic.tabled(values, values, [("grid", (0, 1))], grad_evals=[80, 40])
    assert row_of(compare(load(made, "x")), "ew").params == {"lr": 0.002}


def test_two_searches_of_one_weighting_have_two_titles() -> None:
    made = synthetic.reader(epochs=3)
    for row in made.rows["run_results"]:
        row["weighting"] = "ew" if row["search"] == "uw" else row["weighting"]
    titles = {row.search: row.title for row in compare(load(made, "x")).rows}
    assert (titles["ew"], titles["uw"], titles["uw-so"]) == ("EW (ew)", "EW (uw)", "UW-SO")


def test_an_imported_baseline_needs_no_runs() -> None:
    made = synthetic.reader(epochs=3)
    runs = made.rows["run_results"]
    made.rows["run_results"] = [row for row in runs if row["role"] != "baseline"]
    for row in made.rows["baseline_metrics"]:
        row["source"] = "imported"
    row = row_of(compare(load(made, "x")), "stl")
    assert (row.n_runs, row.delta_m_test, row.notes) == (0, 0.0, ("numbers imported",))


def test_unfinished_and_failed_runs_are_told() -> None:
    comparison = compare(synthetic.frames(unfinished=True))
    assert row_of(comparison, "scalarization").notes == ("42 of 126 runs not finished",)
    assert "1 of 36 runs failed" in row_of(comparison, "uw-so").notes[0]
    assert (comparison.finished_runs, comparison.planned_runs) == (179, 222)


def test_a_study_without_results_has_rows_without_values() -> None:
    comparison = compare(synthetic.frames(empty=True))
    assert {row.delta_m_kind for row in comparison.rows} == {"none yet"}
    assert comparison.sentence.startswith("Incomplete: 0 of 222 runs finished. Undecided")


def test_the_plain_form_is_json_even_without_results() -> None:
    plain = compare(synthetic.frames(empty=True)).to_plain()
    read = json.loads(json.dumps(plain, allow_nan=False))
    assert read["rows"][0]["delta_m_test"] is None


def test_the_frame_has_one_row_a_method_and_one_column_a_metric() -> None:
    frame = compare(synthetic.frames()).to_frame()
    assert len(frame) == 5
    assert {"left error", "sum within_1", "delta_m_test"} <= set(frame.columns)


# -- the headline ---------------------------------------------------------------------------


def test_a_finished_study_says_gap_margin_and_share_of_cost() -> None:
    sentence = told(
        contender("scalarization", -4.5, cost_solo_s=400.0),
        contender("uw-so", -4.0, cost_solo_s=100.0),
    )
    assert "0.50 points worse than SCALARIZATION (−4.50 %), within the margin of 1" in sentence
    assert "at 25 % of its search cost in device-seconds." in sentence
    assert "better than single-task" in sentence


def test_the_share_of_cost_is_that_of_runs_alone_with_the_one_as_run_beside_it() -> None:
    sentence = told(
        contender("scalarization", -4.5, cost_solo_s=400.0, cost_as_run_s=50.0),
        contender("uw-so", -4.0, cost_solo_s=100.0, cost_as_run_s=40.0),
    )
    assert "at 25 % of its search cost in device-seconds, each run alone (80 % as run)." in sentence


@pytest.mark.parametrize("nothing", ["cost_solo_s", "cost_as_run_s"])
def test_a_share_of_nothing_is_unknown(nothing: str) -> None:
    sentence = told(contender("scalarization", -4.5, **{nothing: 0.0}), contender("uw-so", -4.0))
    assert "at an unknown share of its search cost." in sentence


def test_a_loss_is_told_as_a_loss() -> None:
    sentence = told(
        contender("scalarization", -4.0), contender("ew", -1.0), contender("uw-so", 2.5)
    )
    assert "worse than single-task networks" in sentence
    assert "6.50 points worse than SCALARIZATION (−4.00 %), beyond the margin" in sentence
    assert "better than 0 of 1 tuning-free methods." in sentence


def test_the_beaten_tuning_free_methods_are_named() -> None:
    sentence = told(contender("ew", -2.0), contender("uw-so", -1.0), contender("uw", 0.0))
    assert "better than 1 of 2 tuning-free methods (UW)." in sentence


def test_nothing_is_decided_against_a_method_with_missing_runs() -> None:
    sentence = told(
        contender("uw-so", -4.0),
        contender("scalarization", -3.0, finished=7),
        contender("ew", 1.0, finished=11),
        finished=30,
    )
    assert sentence.startswith("Incomplete: 30 of 36 runs finished.")
    assert "Undecided against SCALARIZATION: SCALARIZATION has 7 of 12 runs." in sentence
    assert "Undecided against EW." in sentence
    assert "points" not in sentence.replace("point estimates", "")


def test_a_study_without_uw_so_is_told_by_its_best_method() -> None:
    assert told(contender("dwa", -1.5), contender("ew", 0.5)).startswith("DWA reaches")


def test_without_values_nothing_is_claimed() -> None:
    sentence = told(contender("uw-so", math.nan, finished=0), contender("ew", -1.0), finished=12)
    assert sentence.endswith("Undecided: UW-SO has no value yet.")


def test_one_seed_is_admitted() -> None:
    assert "(same-seed, one seed)" in told(contender("uw-so", -1.0, sd=math.nan, kind="same-seed"))


@pytest.mark.parametrize("state", ["diverged", "failed", "pruned"])
def test_a_search_that_lost_all_its_trials_waits_for_nothing(state: str) -> None:
    made = synthetic.reader(epochs=6)
    for row in made.rows["run_results"]:
        if row["search"] == "uw-so":
            row |= {"state": state, "delta_m_val": None, "delta_m_test": None}
    comparison = compare(load(made, "x"))
    assert row_of(comparison, "uw-so").delta_m_kind == "none"
    assert f"runs {state}" in "; ".join(row_of(comparison, "uw-so").notes)
    assert comparison.sentence.endswith("Undecided: UW-SO has no value.")


def test_a_diverged_winner_is_admitted() -> None:
    sentence = told(contender("scalarization", -1.0), contender("uw-so", math.inf))
    assert "diverges on a fresh seed" in sentence
    assert "inf" not in sentence.replace("finite", "")
