"""How well the pixels of each class are found: intersection over union."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.problems._losses import IGNORED
from trainers.problems._metrics import classes_of
from trainers.problems.errors import BadShape


@dataclass(frozen=True, slots=True)
class MeanIoU:
    """Mean over classes of intersection over union, of the whole split's pixels.

    A class that occurs neither in the targets nor in the outputs does not count; one that is found
    where it is not counts as 0. (MTAN's and LibMTL's code is not a number where a class is missing
    everywhere; otherwise it is the same.)

    Attributes:
        n_classes: C.

    Raises:
        BadShape: Outputs have another number of classes.
    """

    n_classes: int

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2 C]``: pixels in the intersection of each class, then in its union.

        Args:
            output: Logits ``[B, C]`` or ``[B, C, ...]``.
            target: Class numbers ``[B]`` or ``[B, ...]``, int64; -1 is ignored.
        """
        n = self.n_classes
        if output.shape[1] != n:
            raise BadShape(
                f"`MeanIoU({n})` needs {n} logits a pixel. Got outputs {[*output.shape]}. Change "
                "the head's number of outputs, or the metric's of classes."
            )
        # a label beyond the classes then writes beyond the table, which torch refuses
        cells = torch.where(target != IGNORED, target * n + classes_of(output) + 1, 0).flatten()
        ones = torch.ones((), dtype=torch.float64, device=output.device)
        table = torch.zeros(n * n + 1, dtype=torch.float64, device=output.device)
        pairs = table.scatter_add(0, cells, ones.expand(cells.shape))[1:].view(n, n)
        both = pairs.diagonal()
        return torch.cat([both, pairs.sum(0) + pairs.sum(1) - both])

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2 C]``; NaN without a valid pixel."""
        both, either = total.view(2, self.n_classes)
        there = either > 0
        return float((both[there] / either[there]).mean()) if there.any() else math.nan
