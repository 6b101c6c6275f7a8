"""Budget curves against a slow, literal replay of every order."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import budget_curve, compare, load
from reports._spread import components_of
from reports.errors import UnknownAxis, UnknownMeasure, UnknownSearch
from reports.inference import mixed_share
from reports.inference.student import t_quantile
from reports.spending.axes import CostAxis
from reports.spending.measured import measure_of, measured_curves
from tests.unit.reports import synthetic

STAGES = (("grid", (0, 1, 2)), ("random", (2, 3, 4, 5)), ("neighbours", (0, 7, 6)))
EXCHANGEABLE = {"grid", "random"}
VALUES = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0])
TABLE = st.lists(st.lists(VALUES | st.none(), min_size=3, max_size=3), min_size=8, max_size=8)
SCORES = st.lists(st.lists(st.floats(-9, 9), min_size=3, max_size=3), min_size=8, max_size=8)
COSTS = st.lists(st.integers(1, 9), min_size=8, max_size=8)


def literal(
    validation: Sequence[Sequence[float | None]],
    test: Sequence[Sequence[float]],
    cost: Sequence[int],
    stages: Sequence[tuple[str, Sequence[int]]] = STAGES,
) -> list[tuple[float, float]]:
    """(cost, value) of every point: choose by two seeds, score on the third, try all orders."""

    def winner(pool: Sequence[int], seed: int) -> int | None:
        ranked = []
        for trial in pool:
            if None in validation[trial]:
                continue
            others = [v for s, v in enumerate(validation[trial]) if s != seed and v is not None]
            ranked.append((sum(others) / 2, cost[trial], trial))
        return min(ranked)[2] if ranked else None

    points, before, spent = [], [], 0.0
    for kind, trials in stages:
        new = [trial for trial in trials if trial not in before]
        orders = list(itertools.permutations(new)) if kind in EXCHANGEABLE else [tuple(new)]
        for n in range(1, len(new) + 1):
            found = [
                math.nan if (best := winner([*before, *order[:n]], s)) is None else test[best][s]
                for s in range(3)
                for order in orders
            ]
            own = sum(3 * cost[t] for order in orders for t in order[:n]) / len(orders)
            points.append((spent + own, math.fsum(found) / len(found)))
        spent += sum(3 * cost[trial] for trial in new)
        before += new
    return [point for point in points if not math.isnan(point[1])]


@given(TABLE, SCORES, COSTS)
def test_a_curve_equals_the_literal_replay(
    validation: list[list[float | None]], test: list[list[float]], cost: list[int]
) -> None:
    made = synthetic.tabled(validation, test, STAGES, cost_s=cost, grad_evals=cost)
    curve = budget_curve(load(made, synthetic.STUDY), "ew")
    wanted = literal(validation, test, cost)
    points = [] if curve is None else list(zip(curve.cost, curve.value, strict=True))
    assert len(points) == len(wanted)
    for have, want in zip(points, wanted, strict=True):
        assert have == pytest.approx(want, rel=1e-12, abs=1e-12)


def test_winners_are_told_by_other_values_than_they_were_chosen_by() -> None:
    rng = np.random.default_rng(0)
    validation, test = (rng.normal(size=(8, 3)).tolist() for _ in range(2))
    frames = load(synthetic.tabled(validation, test, STAGES), synthetic.STUDY)
    for measure, scores in (("validation", validation), ("test", test)):
        (curve,) = measured_curves(frames, "runs", measure_of(frames, measure))
        wanted = [value for _, value in literal(validation, scores, [1] * 8)]
        assert curve.value == pytest.approx(np.array(wanted))
        assert curve.at(3.0) == curve.value[0]
        assert math.isnan(curve.at(2.0))
    with pytest.raises(UnknownMeasure, match="Winners can be told by test, validation"):
        measure_of(frames, "nix")


def test_a_point_tried_before_costs_nothing_again() -> None:
    values = [[0.0, 0.0, 0.0]] * 8
    curve = budget_curve(load(synthetic.tabled(values, values, STAGES), "x"), "ew", axis="runs")
    assert curve is not None
    assert curve.cost.tolist() == [3, 6, 9, 12, 15, 18, 21, 24]
    assert curve.stage.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ["axis", "total"], [("as_run_s", 21.0), ("solo_s", 63.0), ("epochs", 120), ("runs", 12)]
)
def test_the_last_cost_is_that_of_the_whole_search(axis: CostAxis, total: float) -> None:
    values = [[0.0, 1.0, 2.0]] * 4
    stages = [("grid", (0, 1, 2, 3))]
    made = synthetic.tabled(values, values, stages, cost_s=[1, 1, 2, 3], solo_s=[3, 5, 7, 6])
    curve = budget_curve(load(made, "x"), "ew", axis=axis)
    assert curve is not None
    assert curve.cost[-1] == pytest.approx(total)


def test_methods_are_compared_at_the_cost_of_runs_alone_unless_told_otherwise() -> None:
    frames = synthetic.frames(fused=True)
    curve = budget_curve(frames, "scalarization")
    as_run = budget_curve(frames, "scalarization", axis="as_run_s")
    assert curve is not None
    assert as_run is not None
    assert curve.axis == "solo_s"
    assert curve.cost == pytest.approx(8 * as_run.cost)
    assert curve.value == pytest.approx(as_run.value)


@pytest.mark.parametrize(
    ["kinds", "replay"],
    [
        (("grid", "quasi-random"), "expected over orders"),
        (("line", "neighbours"), "as run"),
        (("grid", "tpe"), "mixed"),
        (("line", "grid+halving"), "as run"),
    ],
)
def test_a_curve_says_how_it_was_replayed(kinds: tuple[str, str], replay: str) -> None:
    values = [[0.0, 1.0]] * 4
    stages = list(zip(kinds, [(0, 1), (2, 3)], strict=True))
    curve = budget_curve(load(synthetic.tabled(values, values, stages), "x"), "ew")
    assert curve is not None
    assert curve.replay == replay


def test_one_seed_is_scored_by_itself_and_says_so() -> None:
    made = synthetic.tabled([[2.0], [1.0]], [[20.0], [10.0]], [("line", (0, 1))])
    curve = budget_curve(load(made, "x"), "ew")
    assert curve is not None
    assert curve.scoring == "same seed, optimistic"
    assert curve.value.tolist() == [20.0, 10.0]
    assert np.isnan(curve.low).all()


def test_cross_fit_scores_on_the_seed_that_did_not_choose() -> None:
    # Seed 1 prefers trial 1, and seed 0 scores it; seed 0 prefers trial 0, and seed 1 scores it.
    made = synthetic.tabled([[0.0, 9.0], [9.0, 0.0]], [[1.0, 3.0], [5.0, 1.0]], [("line", (0, 1))])
    curve = budget_curve(load(made, "x"), "ew")
    assert curve is not None
    assert curve.scoring == "cross-fit"
    assert curve.value[-1] == pytest.approx((5.0 + 3.0) / 2)


def test_one_trial_has_the_interval_of_a_mean() -> None:
    made = synthetic.tabled([[0.0, 0.0, 0.0]], [[1.0, 2.0, 6.0]], [("grid", (0,))])
    curve = budget_curve(load(made, "x"), "ew")
    assert curve is not None
    half = 4.302652729749464 * math.sqrt(7.0 / 3.0)  # t(2)
    assert curve.high - curve.value == pytest.approx([half])
    assert curve.value - curve.low == pytest.approx([half])


def test_a_point_has_the_interval_of_its_winners() -> None:
    """M10: the more trials may be the winner, the less the rest of one of them counts."""
    rng = np.random.default_rng(5)
    test = rng.normal(size=(9, 4))
    made = synthetic.tabled(test.tolist(), test.tolist(), [("grid", range(9))])
    frames = load(made, "x")
    curve, layout = budget_curve(frames, "ew"), components_of(frames, "ew")
    assert curve is not None
    assert layout is not None
    left = [test[:, [s for s in range(4) if s != seed]].mean(axis=1) for seed in range(4)]
    mixed = mixed_share([int(np.argmin(means)) for means in left])
    for n, half in enumerate(curve.high - curve.value, start=1):
        shares = [math.comb(9 - k, n - 1) / math.comb(9, n) for k in range(1, 10)]
        variance, df = layout.variance(mixed * sum(share**2 for share in shares))
        assert half == pytest.approx(float(t_quantile(0.975, df) * np.sqrt(variance)))


def literal_by_run(
    validation: Sequence[Sequence[float | None]], test: Sequence[Sequence[float]], n: int
) -> float:
    """Choose on one seed, score on the others, in all orders and for all seeds."""
    finite = [None not in row for row in validation]
    found = []
    for seed in range(3):
        others = [s for s in range(3) if s != seed]
        for part in itertools.permutations(range(len(validation)), n):
            ranked = [(validation[i][seed], i) for i in part if finite[i]]
            won = min(ranked)[1] if ranked else None
            found.append(math.nan if won is None else sum(test[won][s] for s in others) / 2)
    return math.fsum(found) / len(found)


@given(
    st.lists(st.lists(VALUES | st.none(), min_size=3, max_size=3), min_size=4, max_size=4),
    st.lists(st.lists(st.floats(-9, 9), min_size=3, max_size=3), min_size=4, max_size=4),
)
def test_single_runs_choose_on_one_seed_and_are_scored_on_the_others(
    validation: list[list[float | None]], test: list[list[float]]
) -> None:
    made = synthetic.tabled(validation, test, [("grid", range(4))], cost_s=[1, 2, 3, 6])
    curve = budget_curve(load(made, "x"), "ew", unit="run")
    wanted = [(3.0 * n, literal_by_run(validation, test, n)) for n in range(1, 5)]
    points = [] if curve is None else list(zip(curve.cost, curve.value, strict=True))
    assert points == [
        pytest.approx(point, rel=1e-12, abs=1e-12) for point in wanted if not math.isnan(point[1])
    ]


def test_a_single_run_needs_other_seeds_to_be_scored_on() -> None:
    assert budget_curve(synthetic.frames(seeds=(1,)), "ew", unit="run") is None


def test_the_order_band_closes_where_all_is_drawn() -> None:
    curve = budget_curve(synthetic.frames(), "scalarization")
    assert curve is not None
    grid = np.flatnonzero(curve.stage == 1)
    width = curve.order_high - curve.order_low
    assert width[grid[0]] > 0
    assert width[grid[-1]] == pytest.approx(0.0)


def test_a_diverged_trial_costs_and_the_curve_starts_later() -> None:
    table = [[None, 0.0], [1.0, 1.0]]
    made = synthetic.tabled(table, [[0.0, 0.0], [4.0, 4.0]], [("grid", (0, 1))])
    curve = budget_curve(load(made, "x"), "ew", axis="runs")
    assert curve is not None
    assert (curve.cost.tolist(), curve.value.tolist()) == ([4.0], [4.0])


@pytest.mark.parametrize(("axis", "cost"), [("epochs", 5 + 1 + 10 + 10 + 10), ("runs", 4)])
def test_the_epoch_that_diverged_is_on_the_axis(axis: CostAxis, cost: float) -> None:
    made = synthetic.tabled([[None, 0.0], [1.0, 1.0]], [[0.0, 0.0]] * 2, [("grid", (0, 1))])
    made.rows["run_results"][0] |= {"epochs": 5, "diverged_epoch": 6}
    frames = load(made, "x")
    curve = budget_curve(frames, "ew", axis=axis)
    assert curve is not None
    assert curve.cost.tolist() == [cost]
    assert next(row for row in compare(frames).rows if row.search == "ew").cost_epochs == 36


def test_nothing_finished_has_no_curve() -> None:
    assert budget_curve(synthetic.frames(empty=True), "ew") is None


def test_only_diverged_trials_have_no_curve() -> None:
    made = synthetic.tabled([[None, None]], [[None, None]], [("grid", (0,))])
    assert budget_curve(load(made, "x"), "ew") is None


def test_an_incomplete_trial_does_not_take_part() -> None:
    values = [[0.0, 0.0], [-5.0, -5.0]]
    made = synthetic.tabled(values, values, [("grid", (0, 1))])
    made.rows["run_results"][-1] |= {"state": "failed", "delta_m_val": None, "delta_m_test": None}
    curve = budget_curve(load(made, "x"), "ew")
    assert curve is not None
    assert curve.value.tolist() == [0.0]


def test_a_trial_no_longer_planned_does_not_take_part() -> None:
    values = [[0.0, 0.0], [-5.0, -5.0]]
    made = synthetic.tabled(values, values, [("grid", (0, 1))])
    for row in made.rows["run_results"][2:]:
        row["planned"] = 0
    curve = budget_curve(load(made, "x"), "ew")
    assert curve is not None
    assert curve.value.tolist() == [0.0]


def test_a_large_stage_keeps_its_ends_and_stays_small() -> None:
    values = np.random.default_rng(0).normal(size=(2000, 2)).tolist()
    made = synthetic.tabled(values, values, [("random", range(2000))])
    curve = budget_curve(load(made, "x"), "ew", axis="runs")
    assert curve is not None
    assert (curve.cost[0], curve.cost[-1]) == (2, 4000)
    assert len(curve.cost) <= 1000


def test_an_unknown_search_names_the_known_ones() -> None:
    with pytest.raises(UnknownSearch, match=r"'stl/left'.*ew, uw, uw-so, scalarization"):
        budget_curve(synthetic.frames(), "stl/left")


def test_an_unknown_axis_names_the_known_ones() -> None:
    with pytest.raises(
        UnknownAxis, match="solo_s, as_run_s, epochs, samples, flops, runs, energy_j, money"
    ):
        budget_curve(synthetic.frames(), "ew", axis="hours")  # type: ignore[arg-type]
