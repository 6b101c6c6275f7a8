"""How far depths are off, as a share of the depth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.problems._losses import fitted
from trainers.problems._metrics import exact_sums, mean_of


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
