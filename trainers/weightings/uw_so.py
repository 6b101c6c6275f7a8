"""UW-SO: a softmax over the inverses of the current losses.

Weight of task k: softmax_k((1 / L_k) / temperature), of the current batch, no gradient through it;
weights sum to 1 and are not multiplied by T. Losses are assumed to be positive; below 1e-8 they
are weighted as 1e-8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class UWSO(Weighting):
    """A weighted sum with softmaxed inverse losses as weights."""

    name = "uw-so"
    title = "UW-SO"
    formula = "sum_k softmax_k(1 / (sg(L) temperature)) L_k"
    positive = True
    paper = (
        "Kirchdorfer et al., Analytical Uncertainty-Based Loss Weighting in Multi-Task Learning, "
        "GCPR 2024, arXiv 2408.07985"
    )
    also_in = ("MTL4PPM, the first author's",)
    hypers = (
        Hyper(
            name="temperature",
            doc="temperature of the softmax over inverse losses; higher is nearer to 1/T each",
            low=0.0,
            low_open=True,
        ),
    )

    def objective(self, losses: Tensor, *, hyper: Mapping[str, Tensor], **_: object) -> Tensor:
        """Weighted sum over tasks: ``[..., T]`` to ``[...]``."""
        inverse = losses.detach().clamp(min=EPS).reciprocal()
        weights = (inverse / hyper["temperature"].unsqueeze(-1)).softmax(-1)
        return (weights * losses).sum(-1)
