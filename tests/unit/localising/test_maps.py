"""Class activation maps against torch, against pooling, and by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from trainers.localising.maps import MapRange, activation_maps, normalised, upsampled

SIDES = st.integers(1, 9)


def drawn(seed: int, *shape: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=shape)


@given(seed=st.integers(0, 999), channels=st.integers(1, 5), height=SIDES, width=SIDES)
def test_the_mean_of_a_map_is_what_pooling_and_the_layer_give(
    seed: int, channels: int, height: int, width: int
) -> None:
    features, weights = drawn(seed, 3, channels, height, width), drawn(seed + 1, channels)
    maps = activation_maps(features, weights)
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), features.mean(axis=(2, 3)) @ weights)


@given(seed=st.integers(0, 999), small=st.tuples(SIDES, SIDES), large=st.tuples(SIDES, SIDES))
def test_maps_grow_as_torch_lets_images_grow(
    seed: int, small: tuple[int, int], large: tuple[int, int]
) -> None:
    maps = drawn(seed, 2, *small)
    theirs = interpolate(
        torch.from_numpy(maps)[:, None], large, mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(upsampled(maps, large), theirs[:, 0].numpy(), atol=1e-12)


@given(seed=st.integers(0, 999), size=st.tuples(SIDES, SIDES))
def test_a_map_that_grows_stays_in_its_range(seed: int, size: tuple[int, int]) -> None:
    maps = drawn(seed, 1, 3, 4)
    found, of = MapRange.of(upsampled(maps, size)), MapRange.of(maps)
    assert of.low - 1e-12 <= found.low <= found.high <= of.high + 1e-12


def test_of_each_image_its_own_extremes_become_0_and_1() -> None:
    maps = np.array([[[1.0, 2.0, 3.0]], [[-4.0, 0.0, 4.0]]])
    np.testing.assert_array_equal(normalised(maps, None), [[[0, 0.5, 1]], [[0, 0.5, 1]]])


def test_over_the_data_images_have_one_range_and_what_lies_beyond_is_cut_off() -> None:
    maps = np.array([[[0.0, 2.0, 3.0]], [[-4.0, 0.0, 4.0]]])
    found = normalised(maps, MapRange(0.0, 2.0))
    np.testing.assert_array_equal(found, [[[0, 1, 1]], [[0, 0, 1]]])


@pytest.mark.parametrize("over", [None, MapRange(5.0, 5.0)])
def test_a_map_without_contrast_shows_nothing(over: MapRange | None) -> None:
    assert not normalised(np.full((1, 2, 2), 5.0), over).any()


@given(seed=st.integers(0, 999), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_an_image_normalised_alone_forgets_scale_and_shift(
    seed: int, scale: float, shift: float
) -> None:
    maps = drawn(seed, 2, 3, 3)
    np.testing.assert_allclose(
        normalised(scale * maps + shift, None), normalised(maps, None), atol=1e-9
    )
