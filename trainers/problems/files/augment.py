"""Random scale, crop and flip of dense samples, as the papers' code does it.

After CAGrad's code for NYUv2 and Cityscapes, which has it from MTAN's (lorenmt/mtan, issue 34): a
scale out of three, a crop smaller by it, stretched to the old size; depths are divided by the
scale; half of the samples are mirrored, and then the x of normals is negated.

Draws are raw bits of NumPy's PCG64, which stay as they are from version to version.

Shapes: C channels, H and W height and width, h and w those of a crop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.problems.files.samples import Arrays
from trainers.randomness import Key

_SMOOTH = ("image", "normal")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleCropFlip:
    """Changes samples in place; the same key, the same change.

    Attributes:
        scales: One is drawn.
        flip: Whether half of the samples are mirrored.
    """

    scales: tuple[float, ...] = (1.0, 1.2, 1.5)
    flip: bool = True

    def __call__(self, sample: Arrays, key: Key) -> None:
        """Augment a sample: ``image`` and what there is of ``label``, ``depth``, ``normal``."""
        draws = np.random.PCG64(key.seed).random_raw(4)
        height, width = sample["image"].shape[-2:]
        scale = self.scales[_below(len(self.scales), draws[0])]
        h, w = int(height / scale), int(width / scale)
        top, left = _below(height - h + 1, draws[1]), _below(width - w + 1, draws[2])
        mirrored = self.flip and _below(2, draws[3]) == 1
        for name, array in sample.items():
            if (h, w) != (height, width):
                crop = array[..., top : top + h, left : left + w]
                array[...] = (smooth if name in _SMOOTH else nearest)(crop, height, width)
            if mirrored:
                array[...] = array[..., ::-1].copy()
        if "depth" in sample:
            sample["depth"][...] /= scale
        if "normal" in sample and mirrored:
            np.negative(sample["normal"][0], out=sample["normal"][0])


def smooth(crop: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Stretched bilinearly, corner to corner, ``[C, h, w]`` to ``[C, H, W]``."""
    first, second, share = _between(crop.shape[-1], width)
    start = crop.take(first, axis=-1)
    wide = crop.take(second, axis=-1)
    wide -= start
    wide *= share
    wide += start
    first, second, share = _between(crop.shape[-2], height)
    start = wide.take(first, axis=-2)
    found = wide.take(second, axis=-2)
    found -= start
    found *= share[:, None]
    found += start
    return found


def nearest(crop: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Stretched by nearest neighbours, ``[..., h, w]`` to ``[..., H, W]``."""
    rows = crop.take(_nearest(crop.shape[-2], height), axis=-2)
    return rows.take(_nearest(crop.shape[-1], width), axis=-1)


@lru_cache(maxsize=64)
def _between(
    n_in: int, n_out: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Of each output place the two input places around it, and how near the second is."""
    at = np.arange(n_out) * ((n_in - 1) / max(n_out - 1, 1))
    first = np.minimum(at.astype(np.intp), n_in - 1)
    return first, np.minimum(first + 1, n_in - 1), (at - first).astype(np.float32)


@lru_cache(maxsize=64)
def _nearest(n_in: int, n_out: int) -> NDArray[np.intp]:
    return np.arange(n_out) * n_in // n_out


def _below(n: int, raw: np.uint64) -> int:
    """A whole number below n of 64 random bits."""
    return int(raw) * n >> 64


Transform = Callable[[Arrays, Key], None]
