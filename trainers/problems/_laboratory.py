"""What laboratories are judged by: numbers that the network itself knows.

Shapes: B batch.
"""

from __future__ import annotations

import torch
from torch import Tensor


class MeanOfColumn:
    """The mean of one number of a head's output, above `least`.

    Args:
        index: Column of the output.
        least: What is taken off; what is less than it counts as it.
    """

    def __init__(self, index: int, *, least: float = 0.0) -> None:
        self.index, self.least = index, least

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """Sum and number of samples ``[2]``, of outputs ``[B, ...]`` and targets ``[B]``."""
        column = output[..., self.index].double() - self.least
        return torch.stack([column.clamp(min=0).sum(), target.new_ones(len(target)).sum()])

    def value(self, total: Tensor) -> float:
        """The mean, of sums ``[2]``."""
        return float(total[0] / total[1])
