"""UW-O, uncertainty weighting at its analytical optimum: the inverse of the current loss.

Weight of task k: 1 / L_k, of the current batch, no gradient through it; with ``normalise`` divided
by the sum of the weights. One prefactor, 1, serves every loss type. Losses are assumed to be
positive; below 1e-8 they are weighted as 1e-8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class UWO(Weighting):
    """A weighted sum with inverse losses as weights."""

    name = "uw-o"
    title = "UW-O"
    formula = "sum_k L_k / sg(L_k)"
    positive = True
    paper = (
        "Kirchdorfer et al., Analytical Uncertainty-Based Loss Weighting in Multi-Task Learning, "
        "GCPR 2024, arXiv 2408.07985"
    )
    also_in = ("MTL4PPM, the first author's",)
    hypers = (
        Hyper(
            name="normalise",
            doc="switch for weights that sum to 1",
            default=0.0,
            choices=(0.0, 1.0),
        ),
    )

    def objective(self, losses: Tensor, *, hyper: Mapping[str, Tensor], **_: object) -> Tensor:
        """Weighted sum over tasks: ``[..., T]`` to ``[...]``."""
        inverse = losses.detach().clamp(min=EPS).reciprocal()
        # A power of 0 is exactly 1, so runs with and without the switch share one pack.
        divisor = inverse.sum(-1).pow(hyper["normalise"])
        weights = inverse / divisor.unsqueeze(-1)
        return (weights * losses).sum(-1)
