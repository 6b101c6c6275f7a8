"""The comparison table and its headline."""

import html
import json
import math
from typing import Any

import pytest

from reports import Comparison, MethodRow, compare, load
from storage.objectives.delta_m import delta_m
from tests.unit.reports import synthetic

FRESH = (11, 12, 13, 14, 15)


def row_of(comparison: Comparison, search: str) -> MethodRow:
    return next(row for row in comparison.rows if row.search == search)


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
    found = compare(load(made, "x"))
    row = row_of(found, "uw-so")
    assert row.delta_m_test == row.metrics["left", "error"] == math.inf
    assert row.metrics["sum", "within_1"] == -math.inf, "higher is better"
    assert row.notes == ("the winner diverges on a fresh seed",)
    plain = next(one for one in found.to_plain()["rows"] if one["search"] == "uw-so")
    metrics = plain["metrics"]
    assert (plain["value_test"], plain["diverged"], plain["seed_sd"]) == (None, True, None)
    assert metrics["left error"] is metrics["sum within_1"] is None


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


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ({"ew": "EW", "mine:Mine": "Mine [1]"}, ("EW", "Mine [1]")),
        ({"ew": "EW", "mine:Mine": "EW"}, ("EW (ew)", "EW (uw)")),
        ({}, ("ew", "mine:Mine")),
    ],
    ids=["stored", "the same", "stored before there were titles"],
)
def test_titles_are_those_that_the_study_was_stored_with(
    titles: dict[str, str], expected: tuple[str, str]
) -> None:
    made = synthetic.reader(epochs=3)
    made.card["weightings"] = titles
    for row in made.rows["run_results"]:
        row["weighting"] = "mine:Mine" if row["search"] == "uw" else row["weighting"]
    found = {row.search: row.title for row in compare(load(made, "x")).rows}
    assert (found["ew"], found["uw"]) == expected


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
    assert comparison.sentence.startswith(
        "Incomplete: 0 of the 222 runs planned so far have ended. Undecided"
    )


def test_the_plain_form_is_json_even_without_results() -> None:
    plain = compare(synthetic.frames(empty=True)).to_plain()
    read = json.loads(json.dumps(plain, allow_nan=False))
    assert read["rows"][0]["delta_m_test"] is None


def test_the_frame_has_one_row_a_method_and_one_column_a_metric() -> None:
    frame = compare(synthetic.frames()).to_frame()
    assert len(frame) == 5
    assert {"left error", "sum within_1", "delta_m_test"} <= set(frame.columns)


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


def test_a_notebook_shows_headline_and_rows_without_script() -> None:
    made = synthetic.reader(epochs=3)
    made.card = {**made.card, "weightings": {"uw": "<script>alert(1)</script>"}}
    comparison = compare(load(made, "x"))
    shown = comparison._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert html.escape(comparison.sentence) in shown
    assert shown.count("<tr") == 1 + len(comparison.rows)


def test_a_notebook_shows_what_has_no_value_yet() -> None:
    assert "–" in compare(synthetic.frames(empty=True))._repr_html_()
