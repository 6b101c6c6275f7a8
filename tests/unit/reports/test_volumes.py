"""Hypervolumes: what holds for all points, and a few by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.inference.hulls import front
from reports.inference.volumes import hypervolume

POINTS = st.integers(2, 5).flatmap(
    lambda m: st.lists(st.tuples(*[st.integers(0, 5) for _ in range(m)]), min_size=1, max_size=9)
)
CORNER = 4


def counted(points: np.ndarray) -> int:
    """How many unit cells below the corner some point beats."""
    cells = np.indices([CORNER] * points.shape[1]).reshape(points.shape[1], -1).T
    return int(sum((points <= cell).all(axis=1).any() for cell in cells))


@given(POINTS)
def test_it_is_the_number_of_cells_that_are_beaten(points: list[tuple[int, ...]]) -> None:
    table = np.array(points)
    assert hypervolume(table, [CORNER] * table.shape[1]) == counted(table)


@given(POINTS)
def test_only_the_front_counts(points: list[tuple[int, ...]]) -> None:
    table = np.array(points)
    corner = [CORNER] * table.shape[1]
    assert hypervolume(table, corner) == hypervolume(table[front(table)], corner)


@pytest.mark.parametrize(
    ("points", "volume"),
    [([], 0.0), ([(4, 0)], 0.0), ([(1, 1)], 9.0), ([(1, 2), (2, 1)], 8.0), ([(-1, 3)], 5.0)],
)
def test_volumes_made_by_hand(points: list[tuple[int, ...]], volume: float) -> None:
    assert hypervolume(np.array(points).reshape(-1, 2), (4, 4)) == volume
