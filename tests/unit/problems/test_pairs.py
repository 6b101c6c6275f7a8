import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.problems._draws import PairRows
from trainers.problems._pairs import PairLayout, compose

ONE = PairRows(left=np.array([0]), right=np.array([1]))


def _digits(seed: int, side: int = 28, peak: int = 255) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, peak + 1, (2, side, side), dtype=np.uint8)


def test_without_shrinking_it_is_the_maximum_of_shifted_digits() -> None:
    digits = _digits(0, side=4)
    expected = np.zeros((6, 6), dtype=np.uint8)
    expected[:4, :4] = digits[0]
    expected[2:, 2:] = np.maximum(expected[2:, 2:], digits[1])
    found = compose(digits, ONE, PairLayout(shift=2, side=6))[0]
    assert np.array_equal(found, expected)


def test_left_is_up_left_and_right_is_down_right() -> None:
    digits = np.zeros((2, 28, 28), dtype=np.uint8)
    digits[0, 0, 0], digits[1, -1, -1] = 255, 255
    found = compose(digits, ONE, PairLayout(shift=8, side=14))[0]
    assert np.argwhere(found).tolist() == [[0, 0], [13, 13]]


@pytest.mark.parametrize(("side", "shift", "out"), [(28, 8, 28), (28, 8, 14), (8, 4, 8)])
@given(seed=st.integers(0, 2**32))
def test_shrinking_keeps_the_mean_ink(side: int, shift: int, out: int, seed: int) -> None:
    digits = _digits(seed, side)
    large = compose(digits, ONE, PairLayout(shift=shift, side=side + shift))
    small = compose(digits, ONE, PairLayout(shift=shift, side=out))
    assert small.shape == (1, out, out)
    assert abs(small.mean() - large.mean()) <= 0.5  # each pixel is rounded by half a level


def test_area_averages_by_hand() -> None:
    digits = np.array([[[40, 80], [120, 160]]] * 2, dtype=np.uint8)
    # Canvas 3x3 to 2x2: each output pixel covers 1.5 x 1.5 pixels.
    canvas = np.array([[40, 80, 0], [120, 160, 80], [0, 120, 160]])
    corner = (40 + 80 / 2 + 120 / 2 + 160 / 4) / 2.25
    found = compose(digits, ONE, PairLayout(shift=1, side=2))[0]
    assert found[0, 0] == round(corner)
    assert found[1, 1] == round((canvas[2, 2] + 120 / 2 + 80 / 2 + 160 / 4) / 2.25)


def test_full_ink_of_any_file_becomes_255() -> None:
    digits = np.full((2, 8, 8), 16, dtype=np.uint8)
    assert compose(digits, ONE, PairLayout(shift=4, side=8, peak=16)).max() == 255
