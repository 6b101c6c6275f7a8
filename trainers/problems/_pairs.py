"""Draws two digits into one image: shifted against each other, overlaid, shrunk.

Everything is whole-number arithmetic, so the same digits give the same bytes on every machine.

Shapes: N pairs, D digits of side d, output side h.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from trainers.problems._draws import PairRows

Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
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


def compose(images: Images, rows: PairRows, layout: Layout) -> Images:
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
