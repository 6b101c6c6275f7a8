"""DWA, dynamic weight average: tasks whose loss falls slowly get more weight.

Weight of task k in epoch t: T softmax_k(r_k / temperature) with r_k = L_k(t-1) / L_k(t-2), the L
being training losses averaged over an epoch; weights sum to T, and are 1 in the first two epochs.
Losses are assumed to be positive: of negative ones the ratio says the contrary, a fast fall from
-1 to -2 looks like a rise. It is taken as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, HyperValue, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class DWA(Weighting):
    """A weighted sum with weights from the last two epochs' mean losses."""

    name = "dwa"
    title = "DWA"
    formula = (
        "sum_k T softmax_k(r / temperature) L_k, r_k the ratio of the last two epochs' mean losses"
    )
    also_in = ("LibMTL", "TorchJD")
    positive = True
    fixed = True
    paper = (
        "Liu, Johns and Davison, End-to-End Multi-Task Learning with Attention, CVPR 2019, "
        "arXiv 1803.10704"
    )
    hypers = (
        Hyper(
            name="temperature",
            doc="temperature of the softmax over loss ratios; higher is nearer to equal weights",
            default=2.0,
            low=0.0,
            low_open=True,
        ),
    )

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Equal ratios, and a mean loss that makes the next ratios equal, too.

        The first epoch has no epoch before it: any mean divided by infinity is 0 for all tasks,
        so that its end leaves the weights at 1 without counting epochs.
        """
        return {"ratio": 1.0, "mean_loss": inf}

    def end_epoch(
        self, state: Mapping[str, Tensor], mean_losses: Tensor, /
    ) -> Mapping[str, Tensor]:
        """Ratios ``[..., T]`` of this epoch's mean losses to the last one's.

        Of those none is nearer to 0 than 1e-8.
        """
        before = state["mean_loss"]
        ratio = mean_losses / before.abs().clamp(min=EPS).copysign(before)
        return {"ratio": ratio, "mean_loss": mean_losses}

    def objective(
        self,
        losses: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        **_: object,
    ) -> Tensor:
        """Weighted sum over tasks: ``[..., T]`` to ``[...]``."""
        scaled = state["ratio"] / hyper["temperature"].unsqueeze(-1)
        exponentials = (scaled - scaled.amax(-1, keepdim=True)).exp()
        # Divided by the mean, equal ratios give exactly 1; T times a softmax may miss it by a bit.
        weights = exponentials / exponentials.mean(-1, keepdim=True)
        return (weights * losses).sum(-1)
