"""Accuracy, error rate and F1: what counts of right and wrong answers tell.

Shapes: B batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from trainers.problems._losses import fitted
from trainers.problems._metrics import mean_of


@dataclass(frozen=True, slots=True)
class LabelAccuracy:
    """Share of labels that are right, as it belongs to `bce`; NaN targets are ignored."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2]``: right and valid elements.

        Args:
            output: Logits, ``[B]`` or ``[B, 1]`` for targets ``[B]``, otherwise the target's shape.
            target: Labels ``[B, ...]``, floating-point.

        Raises:
            BadShape: Output and target do not fit.
        """
        yes, no, wrong_yes, wrong_no = _table(output, target)
        return torch.stack([yes + no, yes + no + wrong_yes + wrong_no])

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2]``; NaN without a valid element."""
        return mean_of(total)


@dataclass(frozen=True, slots=True)
class LabelErrorRate:
    """Share of labels that are wrong: 1 - `LabelAccuracy`."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2]``: wrong and valid elements; shapes as in `LabelAccuracy`."""
        yes, no, wrong_yes, wrong_no = _table(output, target)
        return torch.stack([wrong_yes + wrong_no, yes + no + wrong_yes + wrong_no])

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2]``; NaN without a valid element."""
        return mean_of(total)


@dataclass(frozen=True, slots=True)
class F1:
    """F1 of a label: 2 hits / (2 hits + false alarms + misses); NaN targets are ignored.

    Attributes:
        average: ``macro`` is the mean of the F1 of yes and that of no, of those that occur; it
            stays apart from 0 for a label so rare that nobody is ever told yes. ``positive`` is
            that of yes alone, and 0 where nobody is told yes and nobody is.
    """

    average: Literal["macro", "positive"] = "macro"

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[4]``: right yes, right no, wrong yes, wrong no; shapes as in `LabelAccuracy`."""
        return torch.stack(_table(output, target))

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[4]``; NaN without a valid element."""
        yes, no, wrong_yes, wrong_no = total.tolist()
        if not yes + no + wrong_yes + wrong_no:
            return math.nan
        wrong = wrong_yes + wrong_no
        found = [2 * right / (2 * right + wrong) for right in (yes, no) if right + wrong]
        if self.average == "macro":
            return math.fsum(found) / len(found)
        return found[0] if yes + wrong else 0.0


def _table(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Right yes, right no, wrong yes, wrong no, ``[]`` each in float64."""
    told, is_so, valid = fitted(output, target) > 0, target > 0.5, ~target.isnan()
    cells = (told & is_so, ~told & ~is_so, told & ~is_so, ~told & is_so)
    right_yes, right_no, wrong_yes, wrong_no = ((cell & valid).sum().double() for cell in cells)
    return right_yes, right_no, wrong_yes, wrong_no
