"""Strategies on recorded tables: what always holds, and what a slow, literal play comes to."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.measures import expected_best
from reports.replaying.ladder import played
from reports.replaying.playing import on_table
from reports.replaying.strategies import strategies
from reports.spending import Budget
from tests.unit.reports.recorded import PURE, made_up, noiseless, play, table

VALUES = st.floats(-9, 9) | st.sampled_from([0.0, 1.0]) | st.just(math.inf)


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


def test_a_seed_that_scores_does_not_choose() -> None:
    rows = [[[0.0], [0.0], [9.0]], [[5.0], [5.0], [5.0]]]
    found = play(table(rows, [[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]), "random")
    # scored on seed 2, trial 0 is chosen by 0 and 0; on the others by the mean of 0 and 9
    assert found.whole_value == (1.0 + 2.0 + 3.0) / 3
    assert found.seed_sd == 1.0
    assert "worth +2.00 % on test (standard deviation over 3 seeds: 1.00 %)." in found.sentence
    assert found.scoring == "cross-fit"


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


def test_who_is_near_no_later_is_named_too() -> None:
    found = play(table([[[0.0]], [[0.0]]], margin=1.0), "random")
    (row,) = found.rows
    assert row.near_from == 0.5
    tied = replace(found, rows=(row, replace(row, strategy="asha")))
    assert tied.sentence.endswith("Near from the same cost on: asha.")


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
