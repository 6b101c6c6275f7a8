"""Kendall's tau of two rankings, and what of it seeds tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.inference.rankings import agreement, kendall_tau

ranked = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=8)


@given(ranked)
def test_tau_is_scipys(pairs: list[tuple[int, int]]) -> None:
    from scipy.stats import kendalltau

    first, second = zip(*pairs, strict=True)
    wanted = kendalltau(first, second).statistic
    assert kendall_tau(first, second) == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_who_diverged_with_both_is_last_in_both() -> None:
    assert kendall_tau([1.0, 2.0, np.inf], [3.0, 4.0, np.inf]) == pytest.approx(1.0)


def all_told(n: int) -> np.ndarray:
    return np.ones((n, n), dtype=bool)


def test_where_all_orders_are_told_nothing_is_open() -> None:
    found = agreement([1, 2, 3, 4], [1, 2, 4, 3], (all_told(4), all_told(4)))
    assert (found.low, found.tau, found.high) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (found.n_pairs, found.n_alike, found.n_reversed) == (6, 5, 1)


def test_a_pair_that_one_side_does_not_tell_may_be_either_way() -> None:
    told = all_told(3)
    told[0, 1] = told[1, 0] = False
    found = agreement([1, 2, 3], [1, 2, 3], (all_told(3), told))
    assert (found.low, found.tau, found.high) == pytest.approx((1 / 3, 1.0, 1.0))
    assert (found.n_alike, found.n_reversed) == (2, 0)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_the_ends_hold_every_ranking_that_keeps_what_is_told(seed: int, part: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 5))
    near = np.abs(first[:, None] - first) < part
    found = agreement(first, second, (~near, all_told(5)))
    for _ in range(20):
        other = first + rng.uniform(-part / 2, part / 2, size=5)  # no told pair changes places
        assert found.low - 1e-9 <= kendall_tau(other, second) <= found.high + 1e-9
