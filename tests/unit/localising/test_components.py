"""Connected components against SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from tests.unit.localising.drawing import mask
from trainers.components import components


def sets(found: list[NDArray[np.int64]]) -> set[frozenset[int]]:
    return {frozenset(map(int, pixels)) for pixels in found}


@given(
    seed=st.integers(0, 9999),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 12)),
    share=st.floats(0, 1),
)
def test_they_are_those_of_scipy(seed: int, shape: tuple[int, int, int], share: float) -> None:
    masks = np.random.default_rng(seed).random(shape) < share
    within = np.zeros((3, 3, 3), dtype=bool)
    within[1] = True
    labels, n_labels = ndimage.label(masks, within)
    theirs = {frozenset(np.flatnonzero(labels == n).tolist()) for n in range(1, n_labels + 1)}
    assert sets(components(masks)) == theirs


@pytest.mark.parametrize(
    ["rows", "n_components"],
    [
        (["....", "...."], 0),
        (["#...", ".#.."], 1),
        (["#.#.", "#.#."], 2),
        (["#####", "#...#", "#.#.#", "#...#", "#####"], 2),
        (["######", ".....#", "######", "#.....", "######"], 1),
    ],
)
def test_by_hand(rows: list[str], n_components: int) -> None:
    assert len(components(mask(*rows)[None])) == n_components


def test_images_are_not_connected_with_each_other() -> None:
    assert len(components(np.ones((3, 2, 2), dtype=bool))) == 3


def test_they_come_by_their_first_pixels_and_pixels_rise() -> None:
    found = components(np.array([mask("..#", "#.#"), mask("#..", "#..")]))
    assert [pixels.tolist() for pixels in found] == [[2, 5], [3], [6, 9]]
