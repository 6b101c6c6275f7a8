"""Augmentation of dense samples: what it does to each array, held against torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from trainers.problems.files.augment import ScaleCropFlip, nearest, smooth
from trainers.randomness import Key

SIDES = st.tuples(st.integers(1, 30), st.integers(1, 30))


def sample(height: int = 24, width: int = 36) -> dict[str, Any]:
    draws = np.random.default_rng(0)
    return {
        "image": draws.random((3, height, width), np.float32),
        "label": draws.integers(-1, 13, (height, width)),
        "depth": draws.random((1, height, width), np.float32) + 0.5,
        "normal": draws.normal(size=(3, height, width)).astype(np.float32),
    }


def augmented(transform: ScaleCropFlip, key: Key, of: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: array.copy() for name, array in of.items()}
    transform(found, key)
    return found


@given(small=SIDES, large=SIDES)
def test_stretching_is_torchs(small: tuple[int, int], large: tuple[int, int]) -> None:
    crop = np.random.default_rng(1).random((3, *small), np.float32)
    tensor = torch.from_numpy(crop)[None]
    between = functional.interpolate(tensor, size=large, mode="bilinear", align_corners=True)
    np.testing.assert_allclose(smooth(crop, *large), between[0], atol=2e-4)
    nearby = functional.interpolate(tensor, size=large, mode="nearest")
    if all(a % b == 0 or b % a == 0 for a, b in zip(small, large, strict=True)):
        np.testing.assert_array_equal(nearest(crop, *large), nearby[0])  # else torch rounds


def test_a_corner_stays_a_corner() -> None:
    crop = sample()["image"]
    found = smooth(crop, 50, 70)
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        np.testing.assert_allclose(found[:, row, column], crop[:, row, column], atol=1e-6)


def test_depths_are_divided_by_the_scale_and_labels_stay_whole() -> None:
    of = sample()
    found = augmented(ScaleCropFlip(scales=(1.5,), flip=False), Key("a"), of)
    assert {name: array.shape for name, array in found.items()} == {
        name: array.shape for name, array in of.items()
    }
    assert {*np.unique(found["label"])} <= {*np.unique(of["label"])}
    kept = np.float32(1.5) * found["depth"]
    assert np.isin(kept.round(5), of["depth"].round(5)).mean() > 0.99


def test_a_mirrored_sample_has_its_x_normals_negated() -> None:
    of, transform = sample(), ScaleCropFlip(scales=(1.0,))
    keys = [Key("mirror") / number for number in range(40)]
    changed = [augmented(transform, key, of) for key in keys]
    mirrored = [found for found in changed if not np.array_equal(found["image"], of["image"])]
    assert 8 < len(mirrored) < 32
    for found in mirrored:
        for name in ("image", "label", "depth"):
            np.testing.assert_array_equal(found[name], of[name][..., ::-1])
        np.testing.assert_array_equal(found["normal"][0], -of["normal"][0][..., ::-1])
        np.testing.assert_array_equal(found["normal"][1:], of["normal"][1:][..., ::-1])


def test_all_arrays_are_cropped_alike() -> None:
    """Every array says where it is: they still agree afterwards."""
    rows, columns = np.mgrid[0:24, 0:36]
    of = {
        "image": np.stack([rows, columns, rows]).astype(np.float32),
        "label": rows.copy(),
        "depth": (columns + 1.0).astype(np.float32)[None],
    }
    found = augmented(ScaleCropFlip(scales=(1.2,), flip=True), Key("b"), of)
    assert np.abs(found["image"][0] - found["label"]).max() <= 1
    assert np.abs(found["image"][1] - (1.2 * found["depth"][0] - 1)).max() <= 1.5


def test_what_is_missing_stays_missing_there_alone() -> None:
    of = sample()
    of["depth"][0, 5:10] = np.nan
    found = augmented(ScaleCropFlip(scales=(1.2,)), Key("c"), of)
    assert 0.05 < np.isnan(found["depth"]).mean() < 0.4


def test_the_key_decides_and_scales_are_drawn_alike() -> None:
    of, transform = sample(), ScaleCropFlip()
    first, again = (augmented(transform, Key("d") / 7, of) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in of)
    scaled = (augmented(transform, Key("e") / n, of)["depth"].mean() for n in range(150))
    scales = [round(float(of["depth"].mean() / mean), 1) for mean in scaled]
    counts = [scales.count(scale) for scale in (1.0, 1.2, 1.5)]
    assert min(counts) > 25


@pytest.mark.parametrize("names", [["image"], ["image", "label"], ["image", "depth"]])
def test_sets_without_some_arrays_are_changed_alike(names: list[str]) -> None:
    whole = augmented(ScaleCropFlip(), Key("f"), sample())
    some = augmented(ScaleCropFlip(), Key("f"), {name: sample()[name] for name in names})
    assert all(np.array_equal(some[name], whole[name]) for name in names)
