"""Mean ranks and their critical difference, against tables, enumeration and simulation."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.inference.ranks import critical_difference, problems_to_tell, rank_bounds, ranks

VALUES = st.lists(st.integers(-5, 5).map(float) | st.just(math.inf), min_size=1, max_size=8)

# q / sqrt(2) of Demsar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 2006
DEMSAR = {3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}


@given(VALUES)
def test_ranks_sum_to_what_whole_numbers_would(values: list[float]) -> None:
    n = len(values)
    assert ranks(values, sign=1.0).sum() == n * (n + 1) / 2


@given(VALUES)
def test_a_better_value_has_the_lower_rank_and_an_equal_one_the_same(values: list[float]) -> None:
    found = ranks(values, sign=1.0)
    for (a, of_a), (b, of_b) in product(zip(values, found, strict=True), repeat=2):
        assert (a < b, a == b) == (of_a < of_b, of_a == of_b)


def test_higher_is_better_by_a_negative_sign() -> None:
    assert ranks([[3.0, 1.0, 2.0]], sign=-1.0).tolist() == [[1.0, 3.0, 2.0]]


@pytest.mark.parametrize(("n_methods", "tabled"), DEMSAR.items())
def test_critical_differences_are_those_of_the_table(n_methods: int, tabled: float) -> None:
    expected = tabled * math.sqrt(n_methods * (n_methods + 1) / (6 * 7))
    assert critical_difference(n_methods, 7) == pytest.approx(expected, rel=5e-4)


def test_ten_methods_on_four_problems_need_most_of_the_range() -> None:
    assert critical_difference(10, 4) == pytest.approx(6.77, abs=0.005)


@pytest.mark.parametrize("n_problems", range(1, 14))
def test_of_two_methods_it_is_the_least_that_a_sign_test_rejects(n_problems: int) -> None:
    wins = np.array([sum(case) for case in product((0, 1), repeat=n_problems)])
    apart = np.abs(2 * wins - n_problems)
    rejected = [gap for gap in set(apart.tolist()) if np.mean(apart >= gap) <= 0.05]
    expected = min(rejected, default=math.inf) / n_problems
    assert critical_difference(2, n_problems) == pytest.approx(expected)


@pytest.mark.parametrize(("n_methods", "n_problems"), [(3, 4), (5, 3), (5, 10), (10, 4), (10, 20)])
def test_random_ranks_are_told_apart_no_more_often_than_said(
    n_methods: int, n_problems: int
) -> None:
    draws = np.random.default_rng(0).random((4_000, n_problems, n_methods))
    means = np.argsort(draws, axis=-1).mean(axis=1)
    assert np.mean(np.ptp(means, axis=1) >= critical_difference(n_methods, n_problems)) <= 0.06


@pytest.mark.parametrize(("gap", "n_methods"), [(2.0, 10), (1.0, 2), (0.4, 5)])
def test_so_many_problems_tell_a_gap_and_one_less_does_not(gap: float, n_methods: int) -> None:
    n_problems = problems_to_tell(gap, n_methods)
    assert n_problems is not None
    assert critical_difference(n_methods, n_problems) <= gap
    assert critical_difference(n_methods, n_problems - 1) > gap


def test_no_gap_is_told_by_no_number_of_problems() -> None:
    assert problems_to_tell(0.0, 3) is None


def test_methods_that_are_equal_in_every_draw_hold_all_their_places() -> None:
    draws = np.array([[1.0, 2.0, 1.0, 3.0]] * 40)
    low, high = rank_bounds(draws, sign=1.0)
    assert (low.tolist(), high.tolist()) == ([1, 3, 1, 4], [2, 3, 2, 4])
    low, high = rank_bounds(draws, sign=-1.0)
    assert (low.tolist(), high.tolist()) == ([3, 2, 3, 1], [4, 2, 4, 1])


def test_a_place_that_fewer_than_a_fortieth_of_draws_give_is_beyond_the_bounds() -> None:
    draws = np.array([[1.0, 2.0]] * 98 + [[2.0, 1.0]] * 2)
    low, high = rank_bounds(draws, sign=1.0)
    assert (low.tolist(), high.tolist()) == ([1, 2], [1, 2])
    low, high = rank_bounds(np.vstack([draws, [[2.0, 1.0]] * 2]), sign=1.0)
    assert (low.tolist(), high.tolist()) == ([1, 1], [2, 2])
