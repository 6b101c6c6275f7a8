"""CAGrad: near the mean gradient, the update that helps most the task it helps least.

Of all d with |d - g0| <= c |g0|, g0 the mean of the tasks' gradients, the one with the largest
min_k <g_k, d> (algorithm 1): g0 + c |g0| g_w / |g_w| with g_w = sum_k w_k g_k, w on the simplex the
minimum of <g_w, g0> + c |g0| |g_w|. TorchJD finds w by cvxpy and Clarabel. It is not divided by
1 + c^2, as the authors' and LibMTL's `rescale` does: c = 0 is the mean, c below 1 converges.

TorchJD takes gradients whose squares sum to less than 1e-4 for none, and returns 0; here they are
told in units of their mean square.
"""

from __future__ import annotations

from typing import ClassVar

from trainers.weightings import Hyper
from trainers.weightings._solved import TorchJDWeighting


class CAGrad(TorchJDWeighting):
    """The mean gradient, moved towards the task that gains least."""

    name = "cagrad"
    title = "CAGrad"
    formula = "argmax over |d - g_0| <= c |g_0| of min_k <g_k, d>"
    also_in = ("LibMTL", "TorchJD")
    peer = "CAGradWeighting"
    needs: ClassVar[tuple[str, ...]] = ("torchjd", "cvxpy", "clarabel")
    paper = (
        "Liu et al., Conflict-Averse Gradient Descent for Multi-Task Learning, NeurIPS 2021, "
        "arXiv 2110.14048"
    )
    hypers = (
        Hyper(
            name="c",
            doc="how far from the mean gradient it may be, in units of its length",
            default=0.5,
            low=0.0,
        ),
    )
