"""How well outputs rank samples, whatever the threshold.

Shapes: B batch, N elements of a split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trainers.problems._losses import fitted


@dataclass(frozen=True, slots=True)
class Auroc:
    """Area under the ROC curve: how often a yes is ranked above a no; ties count one half.

    It is counted in whole numbers over all pairs of a yes and a no, so the order of samples does
    not matter. NaN targets are ignored.
    """

    gathered: ClassVar[bool] = True

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2 B]``: logit and label of each element; shapes as in `LabelAccuracy`."""
        pairs = [fitted(output, target).double().flatten(), target.double().flatten()]
        return torch.stack(pairs, dim=1).flatten()

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the pairs ``[2 N]``.

        One half, as of guessing, if all labels are the same; NaN without a valid element, or with
        a logit that is no number.
        """
        scores, labels = total.view(-1, 2).unbind(1)
        valid = ~labels.isnan()
        scores, yes = scores[valid], labels[valid] > 0.5
        if not len(scores) or scores.isnan().any():
            return math.nan
        positive, negative = scores[yes], scores[~yes].sort().values
        if not len(positive) or not len(negative):
            return 0.5
        below = torch.searchsorted(negative, positive)
        not_above = torch.searchsorted(negative, positive, right=True)
        return float((below + not_above).sum()) / (2 * len(positive) * len(negative))
