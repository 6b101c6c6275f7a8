"""From the frames of a study to a recorded table."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from reports import budget_curve, load
from reports.errors import (
    BadBudget,
    BadReplay,
    NothingToReplay,
    UnknownAxis,
    UnknownSearch,
    UnknownStrategy,
)
from reports.replaying import recorded_table, replay
from reports.replaying.table import _selected
from reports.spending import Budget
from reports.spending.axes import CostAxis
from tests.unit.reports import synthetic


def test_the_largest_stage_is_the_table() -> None:
    table = recorded_table(synthetic.frames())
    assert (table.search, table.stage, table.n_trials, table.n_seeds) == ("scalarization", 1, 36, 3)
    assert table.tuned == ("task_weights",)
    assert table.n_epochs == 30
    assert table.has_curves
    assert not table.adaptive


def test_values_are_those_of_the_study() -> None:
    frames = synthetic.frames()
    table = recorded_table(frames)
    runs = frames.runs[frames.runs["search"] == "scalarization"]
    for k in (0, 17, 35):
        mine = runs[
            runs["params"].map(json.loads).map(lambda p: p["task_weights"]).map(list).map(tuple)
            == tuple(table.points[k]["task_weights"])
        ]
        mine = mine[mine["trial"] == mine["trial"].max()].sort_values("seed")
        np.testing.assert_array_equal(table.keys[k], mine["delta_m_val"])
        np.testing.assert_array_equal(table.scores[k], mine["delta_m_test"])
        np.testing.assert_array_equal(table.cost["solo_s"][k], mine["solo_cost_s"])


def test_after_the_last_epoch_values_are_the_final_ones() -> None:
    table = recorded_table(synthetic.frames())
    np.testing.assert_allclose(table.keys_by_epoch[:, :, -1], table.keys, rtol=1e-12)
    np.testing.assert_allclose(table.scores_by_epoch[:, :, -1], table.scores, rtol=1e-12)
    assert (np.diff(table.keys_by_epoch, axis=2) <= 0).all()  # the best epoch so far


@pytest.mark.parametrize("rule", ["last", "mean_last_5"])
def test_the_epoch_that_counts_is_that_of_the_spec(rule: str) -> None:
    made = synthetic.reader()
    made.spec["compare"]["select_epoch"] = rule
    table = recorded_table(load(made, synthetic.STUDY), "ew")
    by_best = recorded_table(synthetic.frames(), "ew")
    ends = table.keys_by_epoch[:, :, -1]
    assert (ends > by_best.keys_by_epoch[:, :, -1]).all()  # curves rise in the end
    np.testing.assert_array_equal(table.keys_by_epoch[:, :, 0], by_best.keys_by_epoch[:, :, 0])


def test_of_equal_epochs_the_earliest_counts() -> None:
    keys, scores = np.array([[3.0, 2.0, 2.0, 1.0]]), np.array([[30.0, 20.0, 10.0, 40.0]])
    best, judged = _selected(synthetic.frames(), keys, scores)
    assert best.tolist() == [[3.0, 2.0, 2.0, 1.0]]
    assert judged.tolist() == [[30.0, 20.0, 20.0, 40.0]]


def test_a_run_that_diverged_is_out_from_there_on() -> None:
    table = recorded_table(synthetic.frames(), "uw")
    ((trial, seed),) = np.argwhere(np.isinf(table.keys))
    assert np.isfinite(table.keys_by_epoch[trial, seed, :9]).all()
    assert np.isinf(table.keys_by_epoch[trial, seed, 9:]).all()
    early, end = table.by_epochs(0, [4]).keys[trial], table.by_epochs(0, [15]).keys[trial]
    assert np.isfinite(early[0])
    assert np.isinf(early[1])
    assert np.isinf(end).all()


def test_random_order_reaches_what_the_budget_curve_says() -> None:
    made = synthetic.tabled(
        [[3.0, 1.0, 2.0], [1.0, 2.0, 0.0], [5.0, None, 4.0], [0.0, 4.0, 1.0]],
        [[3.5, 1.0, 2.0], [1.5, 2.0, 0.0], [5.0, None, 4.0], [0.5, 4.0, 1.0]],
        (("grid", (0, 1, 2, 3)),),
    )
    frames = load(made, synthetic.STUDY)
    curve = budget_curve(frames, "ew")
    found = replay(frames, strategy=["random"], orders=5000)
    assert curve is not None
    (row,) = found.rows
    assert row.at_end.mean == pytest.approx(curve.value[-1])
    for cost, value in zip(curve.cost, curve.value, strict=True):
        played = row.at_budgets[round(cost / found.whole_cost["solo_s"], 2)]
        assert abs(played.mean - value) <= 4 * played.error + 1e-9


def test_another_stage_and_search_can_be_asked_for() -> None:
    frames = synthetic.frames()
    assert recorded_table(frames, "uw-so").tuned == ("temperature",)
    assert recorded_table(frames, "uw-so", stage=0).tuned == ("lr",)
    assert recorded_table(frames, "uw-so", stage=2).adaptive


def test_every_strategy_plays_where_it_can() -> None:
    found = replay(synthetic.frames(), orders=50)
    assert [row.strategy for row in found.rows] == [
        *("random", "halving", "hyperband", "asha", "racing"),
    ]
    assert set(found.refused) == {"tpe", "line", "staged"}
    assert json.loads(json.dumps(found.to_plain(), allow_nan=False))["trials"] == 36


@pytest.mark.parametrize("axis", ["samples", "runs"])
def test_other_units_of_cost_can_be_asked_for(axis: CostAxis) -> None:
    found = replay(synthetic.frames(), strategy=["halving"], axis=axis, orders=5)
    assert set(found.whole_cost) == {"solo_s", "epochs", axis}
    (row,) = found.rows
    assert row.share == pytest.approx(row.cost["epochs"] / found.whole_cost["epochs"])


def test_a_sealed_study_is_judged_on_validation() -> None:
    made = synthetic.reader()
    made.sealed = True
    for row in made.rows["run_results"]:
        row["delta_m_test"] = None
    made.rows["epoch_metrics"] = [r for r in made.rows["epoch_metrics"] if r["split"] != "test"]
    found = replay(load(made, synthetic.STUDY), orders=20)
    assert (found.table.judged_on, found.to_plain()["judged_on"]) == ("validation", "validation")
    assert "on validation" in found.sentence
    assert "which is what trials are chosen by" in " ".join(found.caveats)
    assert len(found.rows) == 5
    np.testing.assert_array_equal(found.table.scores, found.table.keys)


def test_trials_that_are_not_whole_are_left_out_and_said() -> None:
    found = replay(synthetic.frames(unfinished=True), orders=10, strategy=["random"])
    assert found.table.left_out > 0
    assert f"{found.table.left_out} trials" in " ".join(found.caveats)


def test_a_metric_as_objective_has_no_margin() -> None:
    made = synthetic.rank_by(synthetic.reader(), "sum.within_1")
    found = replay(load(made, synthetic.STUDY), orders=20)
    assert found.table.margin is None
    assert found.sentence.startswith("The whole table's winner is worth ")
    for row in found.rows:
        assert math.isnan(row.finds_near)
        assert row.near_from == math.inf
    (whole,) = (row for row in found.rows if row.strategy == "random")
    assert whole.at_end.mean == pytest.approx(found.whole_value)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"search": "nope"}, UnknownSearch, "Use one of: ew, uw, uw-so, scalarization"),
        ({"strategy": ["halfing"]}, UnknownStrategy, "Use some of: random, tpe, halving, "),
        ({"axis": "hours"}, UnknownAxis, "Got 'hours'"),
        ({"axis": "money"}, UnknownAxis, "Give a price to each device"),
        ({"eta": 1}, BadReplay, "`eta` must be at least 2. Got 1"),
        ({"orders": 0}, BadReplay, "`orders` must be at least 1. Got 0"),
        (
            {"axis": "solo_s", "at": [Budget(axis="epochs", amount=9.0)]},
            *(BadBudget, "Got solo_s, epochs"),
        ),
        ({"search": "ew", "stage": 4}, NothingToReplay, "Got 5. Use one of: 1."),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    asked: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said.replace("?", "[?]")):
        replay(synthetic.frames(), **asked)


def test_a_study_without_trials_is_refused() -> None:
    with pytest.raises(NothingToReplay, match="has none"):
        replay(synthetic.frames(empty=True))


def test_pruned_trials_make_no_table() -> None:
    made = synthetic.reader()
    for row in made.rows["run_results"]:
        if row["search"] == "uw" and row["trial"] == 3:
            row |= {"state": "pruned", "delta_m_val": None, "delta_m_test": None}
    with pytest.raises(NothingToReplay, match="has 3 runs that a stopping rule pruned"):
        replay(load(made, synthetic.STUDY), "uw")
