"""Metrics as sums over samples that add up exactly, in whatever order and batches.

All statistics are float64 and hold whole numbers or multiples of a power of two, so that their
sums are not rounded: neither the batch size nor the pack changes the last bits of a metric.

Shapes: B batch, C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.problems._losses import IGNORED, fitted
from trainers.problems.errors import BadOption

# Amounts are rounded to multiples of 2^-24 (6e-8). Sums of 2^29 (5e8) such multiples below 1 are
# exact in float64, and so are sums of whole numbers up to 2^53.
STEPS_PER_UNIT = 2.0**24


def classes_of(output: Tensor) -> Tensor:
    """The class of the largest logit, the first of equal ones: ``[B, C, ...]`` to ``[B, ...]``."""
    return output.max(dim=1).indices  # several times as fast on images as `argmax` is


def exact_sums(amounts: Tensor, valid: Tensor) -> Tensor:
    """``[3]``: whole units of all valid amounts, what remains of them, and their number.

    The sums are exact for up to 5e8 amounts, each to the nearest multiple of 6e-8.

    Args:
        amounts: ``[B, ...]``, 0 or more, float64.
        valid: ``[B, ...]``.
    """
    whole = amounts.floor()
    rest = ((amounts - whole) * STEPS_PER_UNIT).round() / STEPS_PER_UNIT
    rest = torch.where(amounts.isinf(), 0.0, rest)  # infinity less infinity is no number
    parts = [torch.where(valid, part, 0.0).sum() for part in (whole, rest)]
    return torch.stack([*parts, valid.sum().double()])


def mean_of(total: Tensor) -> float:
    """All but the last number of ``[Q]``, added up and divided by that one, a count; or NaN."""
    *amounts, n_valid = total.tolist()
    return float(sum(amounts) / n_valid) if n_valid else math.nan


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
        wrong = (classes_of(output) != target) & valid
        return torch.stack([wrong.sum(), valid.sum()]).double()

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2]``; NaN without a valid element."""
        return mean_of(total)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of samples (or pixels) whose class is right; label -1 is ignored."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2]``: right and valid elements; shapes as in `ErrorRate`."""
        right = classes_of(output) == target  # never true for an ignored label
        return torch.stack([right.sum(), (target != IGNORED).sum()]).double()

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2]``; NaN without a valid element."""
        return mean_of(total)


@dataclass(frozen=True, slots=True)
class MeanAbsoluteError:
    """Mean absolute difference in the target's unit; NaN targets are ignored.

    Attributes:
        resolution: Where errors are far below 1: a power of two that is about as small. They are
            rounded to multiples of 6e-8 of it.

    Raises:
        BadOption: `resolution` is no power of two.
    """

    resolution: float = 1.0

    def __post_init__(self) -> None:
        if not (self.resolution > 0 and math.frexp(self.resolution)[0] == 0.5):
            raise BadOption(
                f"`resolution` must be a power of two. Got {self.resolution}. Write "
                "2.0**-16 for targets near 1e-5."
            )

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[3]``: sums of absolute errors, see `exact_sums`, and valid elements.

        Args:
            output: ``[B]`` or ``[B, 1]`` for targets ``[B]``, otherwise the target's shape.
            target: Numbers; NaN is ignored.

        Raises:
            BadShape: Output and target do not fit.
        """
        error = (fitted(output, target).double() - target.double()).abs()
        return exact_sums(error / self.resolution, ~target.isnan())

    def value(self, total: Tensor) -> float:
        """The mean, in the target's unit, of the sums ``[3]``; NaN without a valid element."""
        return self.resolution * mean_of(total)


@dataclass(frozen=True, slots=True)
class MeanRelativeError:
    """Mean absolute difference divided by the target's size; targets of NaN or 0 are ignored."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[3]``: sums of relative errors, see `exact_sums`, and valid elements.

        Args:
            output: ``[B]`` or ``[B, 1]`` for targets ``[B]``, otherwise the target's shape.
            target: Numbers.

        Raises:
            BadShape: Output and target do not fit.
        """
        size = target.double().abs()
        valid = size > 0  # which NaN is not
        error = (fitted(output, target).double() - target.double()).abs()
        return exact_sums(error / torch.where(valid, size, 1.0), valid)

    def value(self, total: Tensor) -> float:
        """The mean of the sums ``[3]``, 1 for errors as large as depths; NaN without any."""
        return mean_of(total)


@dataclass(frozen=True, slots=True)
class RelativeAbsoluteError(MeanAbsoluteError):
    """Sum of absolute differences over that of absolute targets; NaN targets are ignored.

    It is the mean absolute error without its unit. A mean of each target's own relative error would
    be all about the targets near 0.

    Raises:
        BadOption: `resolution` is no power of two.
    """

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[4]``: two sums of absolute errors and two of absolute targets, see `exact_sums`."""
        of_zero = MeanAbsoluteError.statistics(self, torch.zeros_like(target), target)
        return torch.cat([MeanAbsoluteError.statistics(self, output, target)[:2], of_zero[:2]])

    def value(self, total: Tensor) -> float:
        """A share, of the sums ``[4]``; NaN if all targets are 0 or missing."""
        return mean_of(torch.stack([total[0] + total[1], total[2] + total[3]]))
