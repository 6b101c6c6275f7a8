"""The formulas of MEASURES against hand-made values and full enumeration."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.measures import (
    baseline_error_points,
    expected_best,
    missed,
    running_best,
    simplex_step,
    winner_shares,
)
from tests.unit.reports import synthetic

# Few distinct values on purpose: ties must occur.
KEYS = st.sampled_from([-1.0, 0.0, 0.5, 2.0, math.inf])
SCORES = st.floats(-100, 100, allow_nan=False, width=32)
TRIAL = st.tuples(KEYS, st.sampled_from([10.0, 20.0]), SCORES)


def enumerated(
    trials: Sequence[tuple[float, float, float]], held: tuple[float, float, float] | None, n: int
) -> list[float]:
    """Score of the winner for every order of the trials; rank = (key, cost, number)."""
    numbered = [(key, cost, number, score) for number, (key, cost, score) in enumerate(trials)]
    found = []
    for order in itertools.permutations(numbered):
        pool = list(order[:n])
        if held is not None:
            pool.append((held[0], held[1], -1, held[2]))
        key, *_, score = min(pool)
        found.append(score if math.isfinite(key) else math.nan)
    return found


def arrays(trials: Sequence[tuple[float, float, float]]) -> tuple[np.ndarray, ...]:
    key, cost, score = (np.array(column) for column in zip(*trials, strict=True))
    return key, cost, np.arange(len(trials), dtype=float), score


@given(st.lists(TRIAL, min_size=1, max_size=5), st.none() | TRIAL)
def test_expected_best_equals_enumeration(
    trials: list[tuple[float, float, float]], held: tuple[float, float, float] | None
) -> None:
    key, cost, number, score = arrays(trials)
    made = expected_best(
        key,
        score,
        ties=(cost, number),
        incumbent=None if held is None else (held[0], held[1], -1.0),
        incumbent_score=math.nan if held is None else held[2],
    )
    for n in range(1, len(trials) + 1):
        # A diverged incumbent is none: nothing is known until a finite trial is drawn.
        orders = enumerated(trials, held, n)
        wanted = math.fsum(orders) / len(orders)
        assert made.value[n - 1] == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True)


@given(st.lists(TRIAL, min_size=1, max_size=5), st.none() | TRIAL)
def test_order_quantiles_equal_enumeration(
    trials: list[tuple[float, float, float]], held: tuple[float, float, float] | None
) -> None:
    key, cost, number, score = arrays(trials)
    made = expected_best(
        key,
        score,
        ties=(cost, number),
        incumbent=None if held is None else (held[0], held[1], -1.0),
        incumbent_score=math.nan if held is None else held[2],
    )
    for n in range(1, len(trials) + 1):
        orders = sorted(enumerated(trials, held, n))
        if any(map(math.isnan, orders)):
            continue
        # The smallest score that at least this share of the orders does not exceed.
        low = orders[max(0, math.ceil(len(orders) * 0.1 - 1e-9) - 1)]
        high = orders[max(0, math.ceil(len(orders) * 0.9 - 1e-9) - 1)]
        assert (made.low[n - 1], made.high[n - 1]) == (low, high)


@given(st.lists(TRIAL, min_size=1, max_size=5), st.none() | TRIAL)
def test_winner_shares_equal_enumeration(
    trials: list[tuple[float, float, float]], held: tuple[float, float, float] | None
) -> None:
    key, cost, number, _ = arrays(trials)
    bar = None if held is None else (held[0], held[1], -1.0)
    draws = range(1, len(trials) + 1)
    shares = winner_shares(key, ties=(cost, number), incumbent=bar, draws=draws)
    # Each trial's score is its position, so that the winner's score says who won.
    marked = [(key, cost, float(at)) for at, (key, cost, _) in enumerate(trials)]
    stays = None if held is None else (held[0], held[1], float(len(trials)))
    for n, row in zip(draws, shares, strict=True):
        won = [len(trials) if math.isnan(w) else int(w) for w in enumerated(marked, stays, n)]
        wanted = np.bincount(won, minlength=len(trials) + 1) / len(won)
        assert row == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("held", [None, (0.05, 0.0)])
def test_concentration_is_the_sum_of_squared_shares(held: tuple[float, float] | None) -> None:
    keys = np.random.default_rng(3).normal(size=30)
    ties = (np.arange(30.0),)
    found = expected_best(keys, keys, ties=ties, incumbent=held, incumbent_score=0.0)
    shares = winner_shares(keys, ties=ties, incumbent=held, draws=range(1, 31))
    assert found.concentration == pytest.approx((shares**2).sum(axis=1), rel=1e-12)
    assert found.concentration[-1] == 1.0


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40), st.integers(0, 40))
def test_expected_best_equals_the_written_formula(values: list[float], better: int) -> None:
    """Exact integers, as MEASURES spells it; the incumbent is ranked after `better` trials."""
    n_trials = len(values)
    b = min(better, n_trials)
    key, score = np.arange(n_trials, dtype=float), np.array(values)
    made = expected_best(key, score, incumbent=(b - 0.5,), incumbent_score=7.0)
    for n in range(1, n_trials + 1):
        total = math.fsum(
            values[k] * math.comb(n_trials - 1 - k, n - 1) / math.comb(n_trials, n)
            for k in range(b)
        )
        wanted = total + 7.0 * math.comb(n_trials - b, n) / math.comb(n_trials, n)
        assert made.value[n - 1] == pytest.approx(wanted, rel=1e-12, abs=1e-11)


@pytest.mark.parametrize("n", [1, 2, 17, 400, 4000, 7999, 8000])
def test_expected_best_is_stable_for_8000_trials(n: int) -> None:
    """The expected minimum of the ranks 1 .. N in a draw of n is (N + 1)/(n + 1)."""
    ranks = np.arange(1, 8001, dtype=float)
    made = expected_best(ranks, ranks, draws=[n])
    assert made.value[0] == pytest.approx(8001 / (n + 1), rel=1e-11)


def test_chances_to_miss_the_best_are_hypergeometric() -> None:
    wanted = [math.comb(36 - q, 10) / math.comb(36, 10) for q in range(37)]
    assert missed(36, 10, 36) == pytest.approx(wanted, rel=1e-13)


def test_expected_best_does_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(3)
    key, score = rng.normal(size=(2, 20))
    shuffled = rng.permutation(20)
    made = expected_best(key[shuffled], score[shuffled])
    assert made.value == pytest.approx(expected_best(key, score).value, rel=1e-13)


def test_only_the_asked_draws_are_evaluated() -> None:
    key = np.array([3.0, 1.0, 2.0])
    assert expected_best(key, key, draws=[1, 3]).value.tolist() == pytest.approx([2.0, 1.0])


def test_no_value_while_diverged_trials_could_be_all_that_was_drawn() -> None:
    key = np.array([math.inf, 1.0, math.inf])
    score = np.array([math.nan, 5.0, math.nan])
    assert expected_best(key, score).value.tolist() == pytest.approx(
        [math.nan, math.nan, 5.0], nan_ok=True
    )


def test_running_best_follows_the_order_of_running() -> None:
    key = np.array([math.inf, 3.0, 1.0, 2.0, 1.0])
    score = np.array([math.nan, 30.0, 10.0, 20.0, 11.0])
    wanted = [math.nan, 30.0, 10.0, 10.0, 10.0]
    assert running_best(key, score).tolist() == pytest.approx(wanted, nan_ok=True)


def test_running_best_breaks_ties_by_cost() -> None:
    key, score, cost = np.array([1.0, 1.0]), np.array([10.0, 11.0]), np.array([9.0, 5.0])
    assert running_best(key, score, ties=(cost,)).tolist() == [10.0, 11.0]


def test_error_points_of_a_small_split() -> None:
    assert baseline_error_points([0.3, 0.4], [1.0, 1.0], 4) == pytest.approx(12.5)


class TestSimplexStep:
    @pytest.mark.parametrize("n_lost", [0, 10])
    def test_a_grid_has_one_though_some_points_are_lost(self, n_lost: int) -> None:
        points = np.array(synthetic.simplex(0.1))[n_lost:]
        assert simplex_step(points) == pytest.approx(0.1)

    def test_a_grid_with_its_boundary_has_one(self) -> None:
        points = np.array([[i / 4, (4 - i) / 4] for i in range(5)])
        assert simplex_step(points) == pytest.approx(0.25)

    def test_points_spread_by_factors_have_none_though_they_are_listed_with_few_digits(
        self,
    ) -> None:
        rows = [[round(a / (a + 1), 4), round(1 / (a + 1), 4)] for a in (1, 3, 10, 30, 100)]
        assert simplex_step(np.array(rows)) is None

    def test_some_points_of_a_grid_have_none(self) -> None:
        points = np.array(synthetic.simplex(0.1))
        assert simplex_step(points[::3]) is None
