"""Outputs and targets of dense tasks, with gaps, and what NumPy makes of them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

N_CLASSES = 5
ANGLES = (11.25, 22.5, 30.0)


class Case(NamedTuple):
    output: Tensor
    target: Tensor


def regions(seed: int, n: int = 6, side: int = 7, *, absent: int = 3) -> Case:
    """Logits and labels, with gaps; a class occurs nowhere, another one in outputs only."""
    drawn = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, N_CLASSES, side, side, generator=drawn)
    logits[:, absent] = -100.0
    labels = torch.randint(-1, N_CLASSES, (n, side, side), generator=drawn)
    labels[(labels == absent) | (labels == (absent + 1) % N_CLASSES)] = -1
    labels[0] = -1  # a whole image
    return Case(logits, labels)


def depths(seed: int, n: int = 6, side: int = 7) -> Case:
    """Depths, some of them missing or 0; float64 fills all bits, so that sums could be rounded."""
    drawn = torch.Generator().manual_seed(seed)
    target = 100 * torch.rand(n, 1, side, side, generator=drawn, dtype=torch.float64)
    target[torch.rand(target.shape, generator=drawn) < 0.3] = math.nan
    target[-1, 0, 0] = 0.0
    return Case(50 * torch.randn(target.shape, generator=drawn, dtype=torch.float64), target)


def directions(seed: int, n: int = 6, side: int = 7) -> Case:
    """Vectors of any length beside unit vectors, of which some are missing in either way."""
    drawn = torch.Generator().manual_seed(seed)
    target = torch.randn(n, 3, side, side, generator=drawn)
    target /= target.norm(dim=1, keepdim=True)
    output = target + torch.rand(n, 1, side, side, generator=drawn) * torch.randn(
        target.shape, generator=drawn
    )
    gaps = torch.rand(n, 1, side, side, generator=drawn)
    target = torch.where(gaps < 0.2, math.nan, torch.where(gaps < 0.4, 0.0, target))
    return Case(3 * output, target)


def numpy_iou(logits: Any, labels: Any) -> float:
    found = np.asarray(logits).argmax(axis=1)
    labels, shares = np.asarray(labels), []
    for number in range(N_CLASSES):
        hit, said = labels == number, (found == number) & (labels >= 0)
        if (hit | said).any():
            shares.append((hit & said).sum() / (hit | said).sum())
    return float(np.mean(shares))


def numpy_relative(output: Any, target: Any) -> float:
    output, target = np.asarray(output), np.asarray(target)
    there = np.isfinite(target) & (target != 0)
    return float(np.mean(np.abs(output[there] - target[there]) / np.abs(target[there])))


def numpy_angles(output: Any, target: Any) -> Any:
    """All valid angles in degrees, by the cross product."""
    output, target = (np.moveaxis(np.asarray(of, dtype=float), 1, -1) for of in (output, target))
    there = np.isfinite(target).all(-1) & (np.abs(target).sum(-1) > 0)
    output, target = output[there], target[there]
    across = np.linalg.norm(np.cross(output, target), axis=-1)
    return np.degrees(np.arctan2(across, (output * target).sum(-1)))
