"""From a file of digits to tensors of digit pairs: shifted against each other, overlaid, shrunk.

The images are whole-number arithmetic, so the same digits give the same bytes on every machine.

Shapes: N pairs, D digits of side d, output side h.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from trainers.problems._draws import PairRows, RowNumbers, draw_pairs, pairs_of
from trainers.problems._source import ByteSource, TensorSource
from trainers.randomness import Key

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays

Images = NDArray[np.uint8]
_AT_ONCE = 2_000  # pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLayout:
    """How two digits share an image.

    Attributes:
        shift: Pixels by which the right digit lies lower and further right; the canvas is as much
            larger than a digit.
        side: Side of the image the canvas is shrunk to, in pixels.
        peak: Pixel value of full ink in the file; becomes 255.
    """

    shift: int
    side: int
    peak: int = 255


def digit_parser(side: int) -> Callable[[bytes], Arrays]:
    """A function from a gzipped CSV to ``images [D, d, d]`` and ``labels [D]``."""

    def parse(content: bytes) -> Arrays:
        text = io.BytesIO(gzip.decompress(content))
        table = np.loadtxt(text, delimiter=",", dtype=np.uint8)
        return {"images": table[:, :-1].reshape(-1, side, side), "labels": table[:, -1]}

    return parse


def pair_sources(
    arrays: Arrays,
    *,
    n_pairs: Mapping[str, int],
    split_seed: int,
    layout: PairLayout,
    device: torch.device,
) -> dict[str, TensorSource]:
    """Split, pair, compose, and move to the device."""
    labels = arrays["labels"].astype(np.int64)
    return {
        split: _source(compose(arrays["images"], rows, layout), labels, rows, device)
        for split, rows in draw_pairs(labels, n_pairs, split_seed).items()
    }


def paired_sources(
    of_split: Mapping[str, tuple[Images, Images]],
    *,
    rows: Mapping[str, Sequence[int]],
    n_pairs: Mapping[str, int],
    split_seed: int,
    layout: PairLayout,
    device: torch.device,
) -> dict[str, ByteSource]:
    """Pair, compose, and move to the device: inputs ``[N, 1, h, h]``, classes ``[N]``.

    Args:
        of_split: Images ``[D, d, d]`` and labels ``[D]`` of the file that a split comes from.
        rows: Which of them are of the split.
    """
    key, found = Key(f"split-{split_seed}"), {}
    for split, (images, classes) in of_split.items():
        labels, own = classes.astype(np.int64), np.asarray(rows[split], np.int64)
        pairs = pairs_of(labels, own, n_pairs[split], key / split)
        found[split] = ByteSource(
            inputs=torch.from_numpy(compose(images, pairs, layout)[:, None]).to(device),
            targets={
                "left": torch.from_numpy(labels[pairs.left]).to(device),
                "right": torch.from_numpy(labels[pairs.right]).to(device),
            },
        )
    return found


def compose(images: Images, rows: PairRows, layout: PairLayout) -> Images:
    """Overlay pairs of digits by pixel maximum and shrink the canvas by area averaging.

    Args:
        images: ``[D, d, d]``, the digits.
        rows: ``[N]`` rows of left and right digits.
        layout: Shift and size.

    Returns:
        ``[N, h, h]``, 0 to 255, rounded half up.
    """
    found = np.empty((len(rows.left), layout.side, layout.side), dtype=np.uint8)
    for start in range(0, len(found), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        left, right = images[rows.left[part]], images[rows.right[part]]
        found[part] = _shrunk(_overlaid(left, right, layout.shift), layout)
    return found


def _overlaid(left: Images, right: Images, shift: int) -> Images:
    """``[N, c, c]``: one digit up and left, the other lower and further right."""
    n_pairs, digit, _ = left.shape
    canvas = np.zeros((n_pairs, digit + shift, digit + shift), dtype=np.uint8)
    canvas[:, :digit, :digit] = left
    corner = canvas[:, shift:, shift:]
    np.maximum(corner, right, out=corner)
    return canvas


def _shrunk(canvas: Images, layout: PairLayout) -> Images:
    """``[N, h, h]`` of ``[N, c, c]``."""
    weights = _overlaps(canvas.shape[1], layout.side).astype(np.float64)
    # whole numbers below 2^53 are exact in floating point, whose products are many times as fast
    sums = (weights @ canvas.astype(np.float64) @ weights.T).astype(np.int64)
    full = int(weights[0].sum()) ** 2 * layout.peak
    scaled: Images = ((2 * 255 * sums + full) // (2 * full)).astype(np.uint8)
    return scaled


def _overlaps(n_in: int, n_out: int) -> NDArray[np.int64]:
    """``[n_out, n_in]``: how much of each input pixel each output pixel covers, in whole units."""
    unit = gcd(n_in, n_out)
    in_width, out_width = n_out // unit, n_in // unit
    in_starts = np.arange(n_in) * in_width
    out_starts = np.arange(n_out)[:, None] * out_width
    ends = np.minimum(in_starts + in_width, out_starts + out_width)
    covered: NDArray[np.int64] = ends - np.maximum(in_starts, out_starts)
    return covered.clip(min=0)


def _source(
    pairs: Images, labels: RowNumbers, rows: PairRows, device: torch.device
) -> TensorSource:
    left = torch.from_numpy(labels[rows.left]).to(device)
    right = torch.from_numpy(labels[rows.right]).to(device)
    images = torch.from_numpy(pairs).to(device)
    return TensorSource(
        inputs=images[:, None].to(torch.float32) / 255,
        targets={"left": left, "right": right, "sum": (left + right).to(torch.float32)},
    )
