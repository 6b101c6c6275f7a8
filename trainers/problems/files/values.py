"""Whether the numbers of an image, a label, a depth or a normal can be what they are said to be."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

IGNORED = -1
_ROUNDED = 1e-3  # what pixels may be off by
_OFF = 0.1
"""By how much the length of normals may differ from 1; where they were resized, edges are short."""


_FARTHEST = 100.0
"""Depths in metres, and inverse depths in 1/m, are less: those in millimetres are more."""
Kind = Literal["image", "label", "depth", "normal"]


class Wrong(TypedDict):
    """What a finding says beside the path."""

    expected: str
    found: str
    way_out: str


def wrong_with(kind: Kind, stored: NDArray[Any], n_classes: int) -> Wrong | None:
    """What is wrong with an array ``[H, W, ...]`` as it is stored; None if nothing is."""
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        return _wrong(
            "finite numbers", "NaN or infinity", "Make it again, with 0 for what is missing."
        )
    if kind == "label":
        return _wrong_label(stored, n_classes)
    if kind == "image":
        return _wrong_image(stored)
    if kind == "depth":
        return _wrong_depth(stored)
    return _wrong_normal(stored)


def ends_of(kind: Kind, stored: NDArray[Any]) -> tuple[float, ...]:
    """Least and greatest of what an array ``[H, W, ...]`` knows; nothing where it knows nothing."""
    there = stored[stored > IGNORED] if kind == "label" else stored[stored != 0]
    return (float(there.min()), float(there.max())) if there.size else ()


def _wrong_image(stored: NDArray[Any]) -> Wrong | None:
    low, high = float(stored.min()), float(stored.max())
    most = 255 if stored.dtype.kind == "u" else 1
    if low < -_ROUNDED or high > most + _ROUNDED:
        return _wrong(
            f"pixels from 0 to {most}", f"{low:g} to {high:g}", "Store bytes, or divide by 255."
        )
    if low == high:
        return _wrong("pixels that differ", f"{low:g} alone", "Copy it again.")
    return None


def _wrong_depth(stored: NDArray[Any]) -> Wrong | None:
    low, high = float(stored.min()), float(stored.max())
    if low < 0:
        return _wrong(
            "depths of 0 or more", f"{low:g}", "Make it again, with 0 for what is missing."
        )
    if high > _FARTHEST:
        return _wrong(
            f"depths in metres, or inverse ones in 1/m, of at most {_FARTHEST:g}",
            f"{high:g}",
            "Divide by 1,000 if they are millimetres.",
        )
    return None


def _wrong_label(stored: NDArray[Any], n_classes: int) -> Wrong | None:
    low, high = float(stored.min()), float(stored.max())
    if low < IGNORED or high >= n_classes:
        odd = low if low < IGNORED else high
        return _wrong(
            f"classes from 0 to {n_classes - 1}, or -1",
            f"{odd:g}",
            "Set `classes` to what the labels have, or take the folder of the right labels.",
        )
    if stored.dtype.kind == "f" and (np.rint(stored) != stored).any():
        return _wrong(
            "whole numbers",
            "fractions",
            "Labels must be resized by nearest neighbours: make it again.",
        )
    return None


def _wrong_normal(stored: NDArray[Any]) -> Wrong | None:
    lengths = np.sqrt(np.square(stored, dtype=np.float32).sum(axis=-1))
    known = lengths[lengths > 0]
    if not len(known):
        return None
    middle, most = float(np.median(known)), float(known.max())
    if abs(middle - 1) > _OFF or most > 1 + _OFF:
        return _wrong(
            "normals of length 1, or 0 where it is not known",
            f"lengths of {middle:.3g} in the middle and {most:.3g} at most",
            "Divide by the length; bytes must be moved to -1 to 1 before.",
        )
    return None


def _wrong(expected: str, found: str, way_out: str) -> Wrong:
    return Wrong(expected=expected, found=found, way_out=way_out)
