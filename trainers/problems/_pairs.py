"""From a file of digits to tensors of digit pairs: shifted against each other, overlaid, shrunk.

The images are whole-number arithmetic, so the same digits give the same bytes on every machine.

Shapes: N pairs, D digits of side d, output side h.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from trainers.problems._draws import PairRows, RowNumbers, draw_pairs
from trainers.problems._source import TensorSource

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays

Images = NDArray[np.uint8]


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


def compose(images: Images, rows: PairRows, layout: PairLayout) -> Images:
    """Overlay pairs of digits by pixel maximum and shrink the canvas by area averaging.

    Args:
        images: ``[D, d, d]``, the digits.
        rows: ``[N]`` rows of left and right digits.
        layout: Shift and size.

    Returns:
        ``[N, h, h]``, 0 to 255, rounded half up.
    """
    n_pairs, digit = len(rows.left), images.shape[1]
    side = digit + layout.shift
    canvas = np.zeros((n_pairs, side, side), dtype=np.uint8)
    canvas[:, :digit, :digit] = images[rows.left]
    corner = canvas[:, layout.shift :, layout.shift :]
    np.maximum(corner, images[rows.right], out=corner)

    weights = _overlaps(side, layout.side)
    sums = weights @ canvas.astype(np.int64) @ weights.T
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
