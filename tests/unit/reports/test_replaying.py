"""Strategies on recorded tables: what always holds, and what a slow, literal play comes to."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.measures import expected_best
from reports.replaying import STRATEGIES, RecordedTable, Replays, rungs
from reports.replaying.ladder import played
from reports.replaying.playing import on_table
from reports.replaying.strategies import strategies
from reports.replaying.strategies._rungs import best_share
from reports.replaying.strategies.racing import racing
from reports.spending import Budget
from study.spec.stopping import HalvingRule, pruned
from tests.unit.reports.recorded import noiseless, table

VALUES = st.floats(-9, 9) | st.sampled_from([0.0, 1.0]) | st.just(math.inf)
PURE = tuple(name for name in STRATEGIES if name != "tpe")


def play(on: RecordedTable, *names: str, orders: int = 40, **more: Any) -> Replays:
    """Pure strategies on a table; all that it does not refuse by default."""
    known = strategies(eta=more.pop("eta", 3))
    return on_table(on, {name: known[name] for name in names or PURE}, orders=orders, **more)


def tried(on: RecordedTable, name: str) -> list[int]:
    """The trials of a strategy with one order of its own."""
    orders = np.arange(on.n_trials)[None]
    ((_, found),) = strategies()[name].plays(on, 0, orders, np.random.default_rng(0))
    return found.trials[0].tolist()


def made_up(seed: int, n_trials: int, n_seeds: int, n_epochs: int = 9) -> RecordedTable:
    """Noisy curves on validation and test, with costs that differ."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 2, (n_trials, 1, 1)) + 5 / np.arange(1, n_epochs + 1)
    own = rng.normal(0, 0.5, (n_trials, n_seeds, 1))
    noisy = [level + own + rng.normal(0, 0.5, (n_trials, n_seeds, n_epochs)) for _ in range(2)]
    return table(*noisy, cost=rng.uniform(1, 3, (n_trials, n_seeds)))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(VALUES, st.floats(-9, 9)), min_size=1, max_size=5).filter(
        lambda rows: min(rows)[0] < math.inf
    )
)
def test_random_order_equals_the_exact_expectation(rows: list[tuple[float, float]]) -> None:
    keys, scores = np.array(rows).T
    on = table(keys[:, None, None], scores[:, None, None], curves=False)
    orders = np.array(list(itertools.permutations(range(len(rows)))))
    strategy = strategies()["random"]
    ((ladder, every),) = strategy.plays(on, 0, orders, np.random.default_rng(0))
    found = played(ladder, every, axis="epochs", budgets=range(1, len(rows) + 1))
    exact = expected_best(keys, scores, ties=on.ties)
    np.testing.assert_allclose(found.at_budgets.mean(axis=0), exact.value, rtol=0, atol=1e-12)
    quantiles = np.quantile(found.at_budgets, (0.1, 0.9), axis=0, method="inverted_cdf")
    np.testing.assert_array_equal(quantiles, [exact.low, exact.high])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(VALUES, min_size=1, max_size=30),
    st.integers(2, 5),
    st.randoms(use_true_random=False),
)
def test_a_rung_is_judged_by_the_rule_of_stages(values: list[float], eta: int, random: Any) -> None:
    alive = [random.random() < 0.8 for _ in values]
    goes_on = best_share(np.array([values]), np.array([alive]), eta)[0]
    there = {k: [v] for k, v in enumerate(values) if alive[k] and math.isfinite(v)}
    rule = HalvingRule(rule="halving", rungs=[1], keep=1 / eta)
    assert set(np.flatnonzero(goes_on)) == set(there) - pruned(rule, there)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([2, 4, 5]))
def test_asha_stops_by_the_asynchronous_rule_of_stages(seed: int, n: int, eta: int) -> None:
    on = made_up(seed, n, 1)
    order = np.random.default_rng(seed).permutation(n)
    at = rungs(on.n_epochs, eta)
    ((_, found),) = strategies(eta=eta)["asha"].plays(on, 0, order[None], np.random.default_rng(0))
    steps = [(t, k) for t, k in zip(found.trials[0], found.reached[0], strict=True) if t >= 0]
    rule = HalvingRule(rule="halving", rungs=list(at), keep=1 / eta, asynchronous=True)
    seen: list[dict[int, list[float]]] = [{} for _ in at]
    literal = []
    for trial in order:
        literal.append((trial, 0))
        for k, rung in enumerate(at):
            seen[k][trial] = [float(on.keys_by_epoch[trial, 0, rung - 1])]
            if trial in pruned(rule, seen[k]):
                break
            literal.append((trial, k + 1))
    assert steps == literal


@pytest.mark.parametrize("eta", [2, 3, 4])
@pytest.mark.parametrize("n_seeds", [1, 3])
@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=1, max_size=30, unique=True))
def test_without_noise_every_strategy_finds_the_winner(
    eta: int, n_seeds: int, levels: list[int]
) -> None:
    levels = sorted(levels, key=abs)  # the line needs a valley, and order matters to nobody else
    valley = [*levels[1::2][::-1], *levels[::2]]
    found = play(noiseless([float(abs(x)) + x / 100 for x in valley], n_seeds=n_seeds), eta=eta)
    assert {row.strategy for row in found.rows} | set(found.refused) == set(PURE)
    for row in found.rows:
        assert row.finds_winner == 1.0, row.strategy
        assert row.at_end.mean == pytest.approx(found.whole_value)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 4), st.sampled_from([2, 3]))
def test_nothing_costs_more_than_the_whole_table(
    seed: int, n_trials: int, n_seeds: int, eta: int
) -> None:
    found = play(made_up(seed, n_trials, n_seeds), eta=eta, orders=10)
    for row in found.rows:
        for axis, cost in row.cost.items():
            assert cost <= found.whole_cost[axis] * (1 + 1e-12), row.strategy
        assert 0 < row.share <= 1 + 1e-12
    (whole,) = (row for row in found.rows if row.strategy == "random")
    assert whole.share == pytest.approx(1.0)
    assert whole.at_end.mean == pytest.approx(found.whole_value)
    assert whole.finds_winner == whole.finds_near == 1.0


def test_the_same_seed_gives_the_same_and_another_one_others() -> None:
    on = made_up(3, 12, 3)
    one, same, other = (play(on, seed=seed).to_plain() for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_strategy_comes_to_the_same_beside_others_or_alone() -> None:
    on = made_up(4, 12, 3)
    for row in play(on).to_plain()["strategies"]:
        assert play(on, row["strategy"]).to_plain()["strategies"] == [row]


def test_orders_are_played_in_blocks_without_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    on = made_up(5, 12, 2)
    whole = play(on, "halving", "asha", "hyperband", "random").to_plain()
    monkeypatch.setattr("reports.replaying.playing._BLOCK", 100)
    assert play(on, "halving", "asha", "hyperband", "random").to_plain() == whole


def test_halving_costs_what_its_rungs_say() -> None:
    found = play(noiseless(range(9), n_epochs=9), "halving")
    # 9 to epoch 1, 3 on to epoch 3, 1 on to the end
    assert found.rows[0].cost["epochs"] == 9 * 1 + 3 * 2 + 1 * 6


def test_hyperband_deals_out_its_brackets() -> None:
    found = play(noiseless(range(17), n_epochs=9), "hyperband")
    # 9 trials from epoch 1, 5 from epoch 3, 3 trained out
    assert found.rows[0].cost["epochs"] == (9 + 3 * 2 + 6) + (5 * 3 + 2 * 6) + 3 * 9


def test_a_budget_that_ends_under_way_leaves_the_best_so_far() -> None:
    # the one that is best after the first epoch is not in the end
    validation = [[[1.0, 5.0]], [[2.0, 3.0]]]
    on = table(validation, [[[10.0, 50.0]], [[20.0, 30.0]]])
    found = play(on, "halving", orders=20, eta=2)
    (row,) = found.rows
    assert row.at_budgets[0.5].mean == 10.0  # both at epoch 1
    assert row.at_end.mean == 50.0  # the only one that is done
    assert found.whole_value == 30.0
    assert row.share == 0.75
    assert (row.finds_winner, row.finds_near) == (0.0, 0.0)
    assert row.near_from == math.inf


def test_budgets_can_be_asked_for() -> None:
    on = noiseless(range(9), n_epochs=9)
    at = [Budget(axis="epochs", amount=amount) for amount in (9.0, 15.0, 500.0)]
    found = play(on, "halving", at=at, axis="epochs")
    assert [*found.shown] == ["9 epochs", "15 epochs", "500 epochs"]
    (row,) = found.rows
    # the first rung; the second, after 9 and 3 x 2 epochs; more than all
    assert [row.at_budgets[share].mean for share in found.shown.values()] == pytest.approx(
        [1.0, 1 / 3, 1 / 9]
    )
    (plain,) = found.to_plain()["strategies"]
    assert {9.0, 15.0, 500.0} < {budget["cost"] for budget in plain["at_budgets"]}


def test_a_diverged_trial_is_out_and_costs_what_it_cost() -> None:
    on = table(
        [[[3.0, math.inf, math.inf]], [[4.0, 3.0, 2.0]], [[9.0, 8.0, 7.0]]],
        [[[0.0, math.nan, math.nan]], [[4.0, 3.0, 2.0]], [[9.0, 8.0, 7.0]]],
        trained=np.array([[2.0], [3.0], [3.0]]),
    )
    found = {row.strategy: row for row in play(on, "random", "halving", orders=30).rows}
    assert found["random"].cost["epochs"] == 8
    assert found["random"].at_end.mean == 2.0
    # it is the best after epoch 1, goes on alone and diverges
    assert found["halving"].cost["epochs"] == 3 + 1
    assert math.isnan(found["random"].at_budgets[0.1].mean)


def test_of_equal_trials_the_one_with_fewer_gradients_wins_then_the_first() -> None:
    equal = table([[[1.0]]] * 3, [[[10.0]], [[20.0]], [[30.0]]])
    on = replace(equal, ties=(np.array([2.0, 1.0, 1.0]), np.arange(3.0)))
    (row,) = play(on, "random").rows
    assert row.at_end.mean == 20.0


def test_a_trial_that_diverges_on_the_seed_that_scores_wins_no_race() -> None:
    rows = [[[0.0], [0.0], [math.inf]], [[0.1], [0.2], [0.3]]]
    (row,) = play(table(rows, curves=False), "racing").rows
    assert row.at_end.mean == pytest.approx(0.2)
    assert row.finds_winner == 1.0


def test_a_seed_that_scores_does_not_choose() -> None:
    rows = [[[0.0], [0.0], [9.0]], [[5.0], [5.0], [5.0]]]
    found = play(table(rows, [[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]), "random")
    # scored on seed 2, trial 0 is chosen by 0 and 0; on the others by the mean of 0 and 9
    assert found.whole_value == (1.0 + 2.0 + 3.0) / 3
    assert found.seed_sd == 1.0
    assert "worth +2.00 % on test (standard deviation over 3 seeds: 1.00 %)." in found.sentence
    assert found.scoring == "cross-fit"


def test_racing_drops_who_is_clearly_behind() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (4, 4))
    on = table((noise + np.array([[0], [0], [10], [11]]))[:, :, None], curves=False)
    (row,) = play(on, "racing").rows
    assert row.cost["epochs"] <= 2 * 4 + 2 * 2  # two trials leave after two seeds
    assert row.at_end.mean == pytest.approx(play(on, "random").rows[0].at_end.mean)


def test_the_best_trial_of_a_race_seldom_leaves() -> None:
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(8, 2)) for _ in range(600)]
    lost = np.mean([~racing(keys)[0, -1] for keys in tables])  # all are equal, so it is as good
    assert 0.0 < lost < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 600)


def grid(values: list[list[float]]) -> RecordedTable:
    """Learning rates by weight decays."""
    rows = [
        ({"lr": 10.0**-k, "wd": 10.0**-j}, value)
        for k, row in enumerate(values)
        for j, value in enumerate(row)
    ]
    return table(np.array([v for _, v in rows])[:, None, None], points=[p for p, _ in rows])


def test_stages_tune_one_parameter_after_the_other() -> None:
    # the middle of wd is the second column, in which the third row is the best
    on = grid([[9.0, 5.0, 9.0], [0.0, 6.0, 9.0], [7.0, 4.0, 3.0]])
    found = tried(on, "staged")
    assert found == [1, 4, 7, 6, 8]
    (row,) = play(on, "staged").rows
    assert (row.at_end.mean, row.cost["epochs"], row.finds_winner) == (3.0, 5, 0.0)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(-99, 99), min_size=2, max_size=5, unique=True),
    st.lists(st.integers(-99, 99), min_size=2, max_size=5, unique=True),
)
def test_stages_find_the_winner_where_parameters_do_not_touch(a: list[int], b: list[int]) -> None:
    (row,) = play(grid([[float(x + y) for y in b] for x in a]), "staged").rows
    assert row.finds_winner == 1.0
    assert row.cost["epochs"] == len(a) + len(b) - 1


def test_rows_of_weights_rest_at_the_most_equal_one() -> None:
    weights = [[0.1, 0.9], [0.4, 0.6], [0.8, 0.2]]
    points = [{"lr": lr, "task_weights": w} for lr in (1.0, 2.0) for w in weights]
    on = table(np.arange(6.0)[:, None, None], points=points)
    found = tried(on, "staged")
    assert found == [1, 4, 0, 2]


def test_a_line_goes_from_coarse_to_fine() -> None:
    on = noiseless([abs(k - 5) for k in range(9)])
    found = tried(on, "line")
    # 1, 5 and 9 of x; then 7 and 3 (sqrt(45) and sqrt(5), 2.2 is nearer to 2); then 6
    assert found[:3] == [0, 4, 8]
    assert 5 in found
    assert len(found) < 9


@pytest.mark.parametrize(
    ("on", "name", "why"),
    [
        (noiseless([1.0, 2.0], n_epochs=2), "halving", "after at least one epoch in 3"),
        (table([[[1.0] * 9]], curves=False), "asha", "epochs are not recorded"),
        (table([[[1.0] * 9]], curves=False), "hyperband", "epochs are not recorded"),
        (noiseless([1.0, 2.0], n_seeds=2), "racing", "the study has 2"),
        (table([[[1.0]]], points=[{"a": 1.0, "b": 2.0}]), "line", "this stage tunes a, b"),
        (table([[[1.0]]], points=[{"a": "x"}]), "line", "which a is not"),
        (table([[[1.0]]], points=[{"a": -1.0}]), "line", "of 0 or above"),
        (table([[[1.0]]], left_out=2), "line", "2 of its trials"),
        (table([[[1.0]]]), "tpe", "none was passed in"),
        (table([[[1.0]]]), "staged", "this stage has x"),
        (
            table([[[1.0]], [[2.0]]], points=[{"a": 1, "b": 1}, {"a": 2, "b": 2}]),
            *("staged", "2 of 4 are there"),
        ),
    ],
)
def test_what_cannot_be_replayed_says_why(on: RecordedTable, name: str, why: str) -> None:
    found = on_table(on, {name: strategies()[name]}, orders=5)
    assert found.rows == ()
    assert why in found.refused[name]


@pytest.mark.parametrize(
    ("n_epochs", "eta", "at"),
    [(30, 3, (2, 4, 10)), (12, 3, (2, 4)), (9, 3, (1, 3)), (8, 2, (1, 2, 4)), (2, 3, ())],
)
def test_rungs_rise_by_eta(n_epochs: int, eta: int, at: tuple[int, ...]) -> None:
    assert rungs(n_epochs, eta) == at


def test_who_is_near_first_is_named_with_the_spread() -> None:
    # after the first rung, 9 of 81 epochs, the best one is known: 1 there, 1/9 in the end
    levels, falling = np.arange(9.0), 1 / np.arange(1, 10)
    found = play(table((levels[:, None] + falling)[:, None, :], margin=0.95), "random", "halving")
    random, halving = found.rows
    assert (halving.near_from, found.cheapest) == (0.15, halving)
    assert random.near_from > 0.5
    assert "within 0.95 points of it, on average over orders, is halving, from 15 %" in (
        found.sentence
    )
    assert "in 8 of 10 orders the same" in found.sentence
    assert "optimistic" in " ".join(found.caveats)


def test_nobody_is_near_for_less_where_only_the_last_trial_is() -> None:
    found = play(table([[[0.0]], [[100.0]]]), "random")
    assert found.cheapest is None
    assert "None of these strategies comes within 1 point of it" in found.sentence


def test_few_orders_are_said() -> None:
    on = made_up(6, 8, 2)
    known = strategies(sampler=lambda *_, n, seed: np.roll(np.arange(n), seed))
    found = on_table(on, {name: known[name] for name in ("random", "tpe")}, orders=30)
    assert [row.orders for row in found.rows] == [30, 20]
    assert "tpe was played in 20 orders" in " ".join(found.caveats)
