"""Images are corrupted by address: what is drawn hangs on nothing else, and disturbs nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from trainers.jobs import Corruptions
from trainers.problems import TensorSource
from trainers.problems.corruptions import KINDS
from trainers.problems.corruptions._images import Image, corrupt, corrupt_all
from trainers.problems.corruptions._source import CorruptedSource, always, drawn
from trainers.problems.errors import BadShape
from trainers.randomness import Key

KEY = Key("test")
NOISE = Corruptions(kinds=("gaussian_noise", "impulse_noise", "contrast"), severities=(1, 3))


def an_image(side: int = 36, channels: int = 3, seed: int = 0) -> Image:
    low, high = 60, 200
    return np.random.default_rng(seed).integers(low, high, (side, side, channels), dtype=np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_decides_alone_what_an_image_becomes(kind: str) -> None:
    np.random.seed(1)
    before = np.random.get_state()[1].tolist()
    first = corrupt(an_image(), kind, 2, KEY)
    assert np.random.get_state()[1].tolist() == before, "the global generator stands where it stood"
    np.random.seed(2)
    assert np.array_equal(corrupt(an_image(), kind, 2, KEY), first)
    assert first.shape == (36, 36, 3)
    assert not np.array_equal(first, an_image())


@pytest.mark.parametrize("kind", ["gaussian_noise", "shot_noise", "impulse_noise", "fog"])
def test_another_address_draws_anew(kind: str) -> None:
    assert not np.array_equal(
        corrupt(an_image(), kind, 2, KEY), corrupt(an_image(), kind, 2, Key("x"))
    )


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (14, 1), (31, 3), (32, 1), (33, 3)])
def test_small_and_grey_images_keep_their_shape(side: int, channels: int) -> None:
    image = an_image(side, channels)
    assert corrupt(image, "brightness", 1, KEY).shape == image.shape
    assert corrupt(image, "brightness", 1, KEY).mean() > image.mean()


def test_a_frame_is_cut_off_where_it_was_put() -> None:
    """JPEG keeps what is bright where it is."""
    image = np.zeros((15, 15, 1), dtype=np.uint8)
    image[2:8, 9:14] = 255
    found = corrupt(image, "jpeg_compression", 1, KEY)
    assert np.array_equal(found > 127, image > 127)


def test_what_is_kept_is_what_would_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, rows, ways = np.stack([an_image(), an_image(seed=1)]), [3, 5], [("fog", 1), ("fog", 2)]
    made = corrupt_all(images, rows, ways, cache=tmp_path)
    assert np.array_equal(made, corrupt_all(images, rows, ways, cache=None))
    other = corrupt_all(images, [3, 6], ways, cache=tmp_path)
    assert np.array_equal(other[0], made[0]), "of the same row"
    assert not np.array_equal(other[1], made[1])
    monkeypatch.setitem(sys.modules, "imagecorruptions", None)
    assert np.array_equal(made, corrupt_all(images, rows, ways, cache=tmp_path))


def test_a_torn_file_is_made_anew(tmp_path: Path) -> None:
    made = corrupt_all(an_image()[None], [0], [("contrast", 1)], cache=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(
        corrupt_all(an_image()[None], [0], [("contrast", 1)], cache=tmp_path), made
    )


def a_source(inputs: torch.Tensor) -> TensorSource:
    return TensorSource(inputs=inputs, targets={"a": torch.arange(len(inputs))})


def clean() -> TensorSource:
    pixels = np.stack([an_image(14, 1, seed) for seed in range(7)])
    return a_source(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255)


@pytest.mark.parametrize("held", [True, False])
def test_a_sample_is_corrupted_alike_in_whatever_batch_it_comes(held: bool) -> None:
    source = CorruptedSource(clean(), drawn(NOISE, KEY), held=held, cache=None)
    (whole,) = source.batches(None, 7, KEY)
    order = torch.tensor([6, 2, 0, 3, 2])
    parts = [*source.batches(order, 2, Key("another"))]
    assert torch.equal(torch.cat([part.inputs for part in parts]), whole.inputs[order])
    assert torch.equal(torch.cat([part.targets["a"] for part in parts]), order)
    assert whole.inputs.shape == (7, 1, 14, 14)
    assert not torch.equal(whole.inputs, clean().inputs)


def test_batches_in_an_order_of_their_own_are_not_kept(tmp_path: Path) -> None:
    source = CorruptedSource(clean(), always("contrast", 1), held=False, cache=tmp_path)
    assert len([*source.batches(torch.tensor([3, 1, 2]), 2, KEY)]) == 2
    assert not [*tmp_path.iterdir()], "each epoch would leave as much again"
    assert len([*source.batches(None, 4, KEY)]) == len([*tmp_path.iterdir()]) == 2


def test_ways_are_drawn_with_equal_odds_and_by_the_seed() -> None:
    way, other = drawn(NOISE, KEY), drawn(NOISE, Key("other"))
    counts = [[way(row) for row in range(1_200)].count(one) for one in NOISE.conditions]
    assert min(counts) > 150 and max(counts) < 250
    assert [way(row) for row in range(20)] != [other(row) for row in range(20)]
    assert always("fog", 3)(5) == ("fog", 3)


@pytest.mark.parametrize(
    ("inputs", "finding"),
    [
        (torch.zeros(2, 5), r"\[2, 5\]"),
        (torch.zeros(2, 4, 8, 8), r"\[2, 4, 8, 8\]"),
        (torch.full((2, 3, 8, 8), 255.0), "from 255 to 255"),
        (torch.full((2, 3, 8, 8), -0.1), "from -0.1 to -0.1"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.int64), "torch.int64"),
        (torch.full((2, 1, 8, 8), torch.nan), "nan"),
    ],
)
def test_inputs_that_are_no_images_are_refused(inputs: torch.Tensor, finding: str) -> None:
    source = CorruptedSource(a_source(inputs), always("contrast", 1), held=False, cache=None)
    with pytest.raises(BadShape, match=finding):
        [*source.batches(None, 2, KEY)]
