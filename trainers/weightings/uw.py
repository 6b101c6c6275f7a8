"""UW, uncertainty weighting: a learned log-variance per task.

Objective: 1/2 sum_k exp(-s_k) L_k + s_k with s_k = log sigma_k^2. Weight of task k: exp(-s_k) / 2,
at the optimum 1 / (2 L_k). The same form is used for every loss type. Losses are assumed to be
positive: a negative one drives s_k to minus infinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import Hyper, HyperValue, Weighting, scalar

if TYPE_CHECKING:
    from torch import Tensor


class UW(Weighting):
    """Losses scaled by learned uncertainties."""

    name = "uw"
    title = "UW"
    formula = "1/2 sum_k exp(-s_k) L_k + s_k, s learned"
    also_in = ("LibMTL", "TorchJD")
    positive = True
    paper = (
        "Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty to Weigh Losses for "
        "Scene Geometry and Semantics, CVPR 2018, arXiv 1705.07115"
    )
    hypers = (
        Hyper(name="s0", doc="log-variance log sigma^2 that every task starts at", default=0.0),
    )

    def params(self, hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Log-variances, all from `s0`."""
        return {"s": scalar(hyper["s0"])}

    def objective(self, losses: Tensor, *, params: Mapping[str, Tensor], **_: object) -> Tensor:
        """Half of scaled losses plus log-variances, over tasks: ``[..., T]`` to ``[...]``."""
        s = params["s"]
        return 0.5 * ((-s).exp() * losses + s).sum(-1)
