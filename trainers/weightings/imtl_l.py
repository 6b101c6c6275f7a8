"""IMTL-L, the loss part of impartial multi-task learning: a learned scale per task.

Objective: sum_k exp(s_k) L_k - s_k, s_k learned from 0. Weight of task k: exp(s_k), at the optimum
1 / L_k. It equals twice UW with s negated. Losses are assumed to be positive: a negative one
drives s_k to infinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import HyperValue, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class IMTLL(Weighting):
    """Losses scaled to equal size by learned factors."""

    name = "imtl-l"
    title = "IMTL-L"
    formula = "sum_k exp(s_k) L_k - s_k, s learned"
    also_in = ("TorchJD",)
    positive = True
    paper = "Liu et al., Towards Impartial Multi-Task Learning, ICLR 2021"

    def params(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Logarithms of the scales, from 0: the start is EW."""
        return {"s": 0.0}

    def objective(self, losses: Tensor, *, params: Mapping[str, Tensor], **_: object) -> Tensor:
        """Scaled losses less log-scales, summed over tasks: ``[..., T]`` to ``[...]``."""
        s = params["s"]
        return (s.exp() * losses - s).sum(-1)
