"""All methods at one budget: values of the curves, natural budgets, ranks, pairs."""

import math

import numpy as np
import pytest

from reports import load
from reports.errors import BadBudget, UnknownAxis
from reports.spending import (
    AtBudget,
    Budget,
    budget_curve,
    budget_curves,
    equal_budgets,
    parse_budgets,
    value_said,
)
from reports.spending.axes import CostAxis
from tests.unit.reports import synthetic


@pytest.mark.parametrize(
    ["text", "axis", "amount"],
    [
        *(("600s", "solo_s", 600.0), ("2 min", "solo_s", 120.0), ("8h", "solo_s", 28800.0)),
        *(("200epochs", "epochs", 200.0), ("1epoch", "epochs", 1.0), ("30 runs", "runs", 30.0)),
        *(("1e6samples", "samples", 1e6), ("1.5Tflops", "flops", 1.5e12)),
        *(("2kWh", "energy_j", 7.2e6), ("3J", "energy_j", 3.0), ("2.50money", "money", 2.5)),
    ],
)
def test_a_budget_is_a_number_and_a_unit(text: str, axis: str, amount: float) -> None:
    (found,) = parse_budgets([text])
    assert (found.axis, found.amount) == (axis, pytest.approx(amount))


@pytest.mark.parametrize(
    "text", ["", "600", "h", "-3s", "0s", "1.2.3s", "5 parsecs", "nan s", "inf h"]
)
def test_what_is_no_budget_says_what_one_is(text: str) -> None:
    with pytest.raises(BadBudget, match=r"number above 0 and a unit.*600s, 8h or 200epochs"):
        parse_budgets([text])


def test_budgets_are_sorted_and_each_is_told_once() -> None:
    found = parse_budgets(["2min", "30s", "120s"])
    assert [one.amount for one in found] == [30.0, 120.0]


def test_budgets_of_two_units_are_refused() -> None:
    with pytest.raises(BadBudget, match="one unit"):
        parse_budgets(["30s", "10epochs"])


def test_device_time_can_be_that_as_run() -> None:
    assert parse_budgets(["30s"], as_run=True) == (Budget(axis="as_run_s", amount=30.0),)


def test_a_budget_buys_what_the_curve_has_at_its_cost() -> None:
    frames = synthetic.frames()
    curve = budget_curve(frames, "scalarization", axis="runs")
    assert curve is not None
    (found,) = equal_budgets(frames, [Budget(axis="runs", amount=50.0)])
    mine = next(one for one in found.methods if one.search == "scalarization")
    at = int(np.flatnonzero(curve.cost <= 50)[-1])
    assert mine.value == curve.value[at]
    assert mine.interval is not None
    assert (mine.interval.low, mine.interval.high) == (curve.low[at], curve.high[at])
    assert mine.share_spent == pytest.approx(curve.cost[at] / curve.cost[-1])


def test_more_than_a_search_costs_buys_no_more_than_all_of_it() -> None:
    frames = synthetic.frames()
    (found,) = equal_budgets(frames, [Budget(axis="runs", amount=1e6)])
    for one in found.methods:
        curve = budget_curve(frames, one.search)
        assert curve is not None
        assert one.complete
        assert one.value == curve.value[-1]


def test_too_little_for_a_first_trial_has_no_value() -> None:
    (found,) = equal_budgets(synthetic.frames(), [Budget(axis="runs", amount=2.0)])
    assert all(math.isnan(one.value) and one.rank is None for one in found.methods)
    assert {value_said(synthetic.frames(), one) for one in found.methods} == {"–"}
    assert {one.search: one.first_cost for one in found.methods} == {
        "ew": 3.0,
        "uw": 6.0,  # one learning rate of UW's diverges: two trials hold a winner
        "uw-so": 3.0,
        "scalarization": 3.0,
    }


def test_methods_stand_best_first_with_ranks_within_their_bounds() -> None:
    (found,) = equal_budgets(synthetic.frames(), [Budget(axis="runs", amount=1e6)])
    values = [one.value for one in found.methods]
    assert values == sorted(values)
    assert [one.rank for one in found.methods] == [1, 2, 3, 4]
    for one in found.methods:
        assert one.rank_low is not None
        assert one.rank_high is not None
        assert 1 <= one.rank_low <= (one.rank or 0) <= one.rank_high <= 4


def test_shares_of_pairs_add_up_to_one() -> None:
    (found,) = equal_budgets(synthetic.frames(), [Budget(axis="runs", amount=60.0)])
    by_search = {one.search: one for one in found.methods}
    for one in found.methods:
        for other, share in one.better.items():
            assert share + by_search[other].better[one.search] == pytest.approx(1.0)


def test_one_seed_has_values_but_no_bounds() -> None:
    (found,) = equal_budgets(synthetic.frames(seeds=(1,)), [Budget(axis="runs", amount=1e6)])
    assert all(one.interval is None and one.rank_low is None for one in found.methods)
    assert [one.rank_said for one in found.methods] == ["1", "2", "3", "4"]


def test_natural_budgets_are_what_searches_cost_in_full() -> None:
    frames = synthetic.frames()
    ends = {curve.title: curve.cost[-1] for curve in budget_curves(frames)}
    found = equal_budgets(frames)
    assert [one.budget.amount for one in found] == sorted(one.budget.amount for one in found)
    assert len(found) == 3  # those of EW and UW are near each other
    assert found[-1].budget.amount == ends["Scalarization"]
    assert found[-1].why == "the whole search of Scalarization"
    assert {"EW", "UW"} == set(found[0].why.removeprefix("the whole search of ").split(", "))
    assert all(one.complete for one in found[-1].methods)


def test_at_most_five_natural_budgets() -> None:
    values = [[0.0, 1.0]]
    made = synthetic.tabled(values, values, [("grid", (0,))])
    first = made.rows["run_results"]
    made.rows["run_results"], made.rows["stage_trials"] = [], []
    for k in range(9):
        name = f"m{k}"
        made.rows["run_results"] += [
            row | {"search": name, "run": row["run"] + 10 * k, "solo_cost_s": 2.0**k}
            for row in first
        ]
        made.rows["stage_trials"].append(
            {"study": synthetic.STUDY, "search": name, "stage": 0, "kind": "grid", "round": 0}
            | {"params_tuned": "lr", "position": 0, "trial": 0}
        )
    found = equal_budgets(load(made, synthetic.STUDY))
    assert len(found) == 5
    assert found[-1].budget.amount == 512.0


def test_nothing_finished_has_no_budgets() -> None:
    assert equal_budgets(synthetic.frames(empty=True)) == ()


def test_a_unit_that_was_not_recorded_says_so() -> None:
    with pytest.raises(UnknownAxis, match="price_per_h"):
        equal_budgets(synthetic.frames(), [Budget(axis="money", amount=1.0)])


def test_json_has_no_number_that_is_none() -> None:
    (found,) = equal_budgets(synthetic.frames(), [Budget(axis="runs", amount=2.0)])
    plain = found.to_plain()
    assert plain["axis"] == "runs"
    assert plain["methods"][0]["value"] is None


def test_a_search_with_runs_outstanding_is_told_as_far_as_it_is() -> None:
    found = equal_budgets(synthetic.frames(unfinished=True))
    last = {one.search: one for one in found[-1].methods}
    assert "Scalarization so far" in found[-1].why
    assert last["scalarization"].share_said == "all so far"
    assert last["ew"].share_said == "all"
    assert not last["scalarization"].to_plain()["finished"]


def test_a_search_whose_runs_have_failed_has_ended() -> None:
    made = synthetic.reader()
    for row in made.rows["run_results"]:
        if row["search"] == "ew" and row["trial"] == 0:
            row |= {"state": "failed", "delta_m_val": None, "delta_m_test": None}
    curve = budget_curve(load(made, synthetic.STUDY), "ew")
    assert curve is not None
    assert curve.finished


def at_time(spread: float, amount: float) -> dict[str, AtBudget]:
    """Methods at a budget, where epochs of Scalarization took now longer and now shorter."""
    made = synthetic.reader()
    made.rows["epoch_timings"] = [
        {"search": search, "attempt": 1, "sweep": sweep, "epoch_s": 1.0 + spread * (sweep % 2)}
        | {"study": made.name, "weighting": search, "role": "search", "hardware": "a cpu"}
        for search, spread in (("uw-so", 0.0), ("scalarization", spread))
        for sweep in range(6)
    ]
    (found,) = equal_budgets(load(made, made.name), [Budget(axis="solo_s", amount=amount)])
    return {one.search: one for one in found.methods}


def test_a_budget_in_time_buys_what_epochs_are_sure_to_cost() -> None:
    half = 0.5 * total_of("scalarization")
    sure, open_ = (at_time(spread, half)["scalarization"] for spread in (0.0, 1.0))
    assert sure.value == open_.value
    assert sure.interval is not None
    assert open_.interval is not None
    assert open_.interval.low < sure.interval.low
    assert open_.interval.high > sure.interval.high
    assert at_time(1.0, half)["uw-so"].interval == at_time(0.0, half)["uw-so"].interval


def test_what_a_search_has_cost_pays_for_all_of_it() -> None:
    full = total_of("scalarization")
    found = [at_time(spread, full)["scalarization"] for spread in (0.0, 1.0)]
    assert found[0] == found[1]


def total_of(search: str) -> float:
    curve = budget_curve(synthetic.frames(), search)
    assert curve is not None
    return float(curve.cost[-1])


@pytest.mark.parametrize(
    ["axis", "amount", "said"],
    [
        *(("epochs", 1200, "1,200 epochs"), ("samples", 7.68e7, "76,800,000 samples")),
        *(("solo_s", 12.345, "12.3 device-seconds"), ("energy_j", 7.2e7, "72,000,000 J")),
        *(("flops", 1.5e12, "1.5 TFLOPs"), ("flops", 4e8, "400,000,000 FLOPs")),
        *(("flops", 3.21e18, "3,210 PFLOPs"), ("flops", 1e12, "1 TFLOP")),
        *(("solo_s", 1.0, "1 device-second"), ("as_run_s", 1, "1 device-second, as run")),
        *(("epochs", 1, "1 epoch"), ("money", 1, "1 of money"), ("energy_j", 1, "1 J")),
    ],
)
def test_a_budget_is_told_as_people_read_it(axis: CostAxis, amount: float, said: str) -> None:
    assert Budget(axis=axis, amount=amount).said == said
