"""GLS, geometric loss strategy: the geometric mean of the losses.

Objective: (L_1 ... L_T)^(1/T), computed in logarithms, because the product of 40 losses leaves the
range of a float. Weight of task k: objective / (T L_k). Losses are assumed to be positive; below
1e-8 they count as 1e-8 and get weight 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.weightings import EPS, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class GLS(Weighting):
    """The geometric mean of the losses."""

    name = "gls"
    title = "GLS"
    formula = "(product_k L_k)^(1/T)"
    also_in = ("LibMTL", "TorchJD")
    positive = True
    paper = (
        "Chennupati et al., MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss "
        "Strategy for Multi-Task Learning, CVPR Workshops 2019, arXiv 1904.08492"
    )

    def objective(self, losses: Tensor, **_: object) -> Tensor:
        """Geometric mean over tasks: ``[..., T]`` to ``[...]``."""
        return losses.clamp(min=EPS).log().mean(-1).exp()
