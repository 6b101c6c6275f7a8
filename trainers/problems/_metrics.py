"""Metrics as sums over samples that add up exactly, in whatever order and batches.

All statistics are float64 and hold whole numbers or multiples of a power of two, so that their
sums are not rounded: neither the batch size nor the pack changes the last bits of a metric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.problems._losses import IGNORED, fitted

# Absolute errors are rounded to multiples of 2^-24 (6e-8). Sums of such multiples are exact in
# float64 up to 2^53 of them, that is up to 5e8 in the target's unit.
STEPS_PER_UNIT = 2.0**24


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Share of samples (or pixels) whose class is wrong; label -1 is ignored."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2]``: wrong and valid elements.

        Args:
            output: Logits ``[B, C]`` or ``[B, C, ...]``.
            target: Class numbers ``[B]`` or ``[B, ...]``, int64.
        """
        valid = target != IGNORED
        wrong = (output.argmax(dim=1) != target) & valid
        return torch.stack([wrong.sum(), valid.sum()]).double()

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2]``; NaN without a valid element."""
        return _ratio(total)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of samples (or pixels) whose class is right; label -1 is ignored."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2]``: right and valid elements; shapes as in `ErrorRate`."""
        right = output.argmax(dim=1) == target  # never true for an ignored label
        return torch.stack([right.sum(), (target != IGNORED).sum()]).double()

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2]``; NaN without a valid element."""
        return _ratio(total)


@dataclass(frozen=True, slots=True)
class MeanAbsoluteError:
    """Mean absolute difference in the target's unit; NaN targets are ignored."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2]``: sum of absolute errors, each to the nearest multiple of 6e-8, and valid ones.

        Args:
            output: ``[B]`` or ``[B, 1]`` for targets ``[B]``, otherwise the target's shape.
            target: Numbers; NaN is ignored.

        Raises:
            BadShape: Output and target do not fit.
        """
        valid = ~target.isnan()
        error = (fitted(output, target).double() - target.double()).abs()
        rounded = (error * STEPS_PER_UNIT).round() / STEPS_PER_UNIT
        return torch.stack([torch.where(valid, rounded, 0.0).sum(), valid.sum().double()])

    def value(self, total: Tensor) -> float:
        """The mean, in the target's unit, of the sums ``[2]``; NaN without a valid element."""
        return _ratio(total)


def _ratio(total: Tensor) -> float:
    amount, n_valid = total.tolist()
    return float(amount / n_valid) if n_valid else math.nan
