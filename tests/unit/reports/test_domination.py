"""Pareto counts at equal numbers of trials, against all ways to draw them."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.inference.domination import Side, at_equal_numbers
from reports.inference.hulls import front

Point = tuple[float, float]
coordinates = st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf])
points = st.tuples(coordinates, coordinates)
by_group = st.lists(st.lists(points, min_size=1, max_size=4), min_size=1, max_size=2)


def side(groups: list[list[Point]]) -> Side:
    return Side(
        points=np.array([point for group in groups for point in group]),
        groups=np.array([at for at, group in enumerate(groups) for _ in group]),
    )


def dominates(one: Point, other: Point) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def left(mine: list[Point], others: list[Point]) -> int:
    """Points with finite coordinates that none of the others dominates."""
    finite = [point for point in mine if all(map(math.isfinite, point))]
    return sum(not any(dominates(other, point) for other in others) for point in finite)


def draws(groups: list[list[Point]], sizes: list[int]) -> list[list[Point]]:
    """All ways to draw so many of each group."""
    chosen = (itertools.combinations(g, n) for g, n in zip(groups, sizes, strict=True))
    return [[p for part in way for p in part] for way in itertools.product(*chosen)]


@given(by_group, by_group)
def test_counts_are_the_mean_over_all_ways_to_draw(
    first: list[list[Point]], second: list[list[Point]]
) -> None:
    n_groups = min(len(first), len(second))
    first, second = first[:n_groups], second[:n_groups]
    sizes = [min(len(a), len(b)) for a, b in zip(first, second, strict=True)]
    ways = list(itertools.product(draws(first, sizes), draws(second, sizes)))
    found = at_equal_numbers(side(first), side(second))
    assert found.n_drawn == sum(sizes)
    assert found.undominated == pytest.approx(
        (np.mean([left(a, b) for a, b in ways]), np.mean([left(b, a) for a, b in ways]))
    )
    assert found.on_front == pytest.approx(
        (np.mean([left(a, a + b) for a, b in ways]), np.mean([left(b, a + b) for a, b in ways]))
    )


@given(st.integers(0, 2**32 - 1))
def test_with_equal_numbers_the_joint_front_is_that_of_all_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = rng.integers(0, 6, size=(2, 12, 3)).astype(float)
    groups = np.arange(12) % 3
    found = at_equal_numbers(*(Side(points=table, groups=groups) for table in tables))
    on_front = front(np.concatenate(tables))
    assert found.on_front == pytest.approx((on_front[:12].sum(), on_front[12:].sum()))
    assert all(a <= b for a, b in zip(found.on_front, found.undominated, strict=True))


def test_points_that_diverged_are_drawn_and_counted_nowhere() -> None:
    gone = Side(points=np.full((2, 2), np.inf), groups=np.zeros(2, dtype=np.int64))
    one = Side(points=np.array([[1.0, 1.0], [np.inf, np.inf]]), groups=gone.groups)
    assert at_equal_numbers(one, gone).undominated == (1.0, 0.0)
    assert at_equal_numbers(one, gone).shares == (0.5, 0.0)
