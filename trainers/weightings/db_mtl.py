"""DB-MTL: gradients of the losses' logarithms, averaged over steps, all as long as the longest.

With m_k <- b m_k + (1 - b) grad log(L_k), b = beta / step^sigma, from m_k = 0, the trunk descends
along max_j |m_j| sum_k m_k / |m_k|; each head along the gradient of its own log(L_k). Averages are
kept for each parameter of the trunk and each task: as much memory again as the gradients, in
checkpoints, too. Losses are assumed to be positive; one below 1e-8 is taken as 1e-8, and not
trained.

What is recorded as a task's weight is how much of the step's own gradient is in the update.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from trainers.weightings import EPS, Hyper, HyperValue
from trainers.weightings.levels import GradientStep, StatefulGradientWeighting

if TYPE_CHECKING:
    from torch import Tensor


class DBMTL(StatefulGradientWeighting):
    """Averaged gradients of the losses' logarithms, as long as the longest of them."""

    name = "db-mtl"
    title = "DB-MTL"
    formula = "max_j |m_j| sum_k m_k / |m_k|, m moving averages of grad log L_k"
    also_in = ("LibMTL",)
    positive = True
    axes: ClassVar[Mapping[str, str]] = {"mean": "TP"}
    paper = "Lin et al., Dual-Balancing for Multi-Task Learning, arXiv 2308.12029"
    hypers = (
        Hyper(
            name="beta",
            doc="share of the average that stays in a step",
            default=0.9,
            low=0.0,
            high=1.0,
        ),
        Hyper(
            name="sigma",
            doc="power of the step by which that share falls",
            default=0.0,
            low=0.0,
        ),
    )

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Averaged gradients ``[T, P]``, and steps."""
        return {"mean": 0.0, "step": 0.0}

    def objective(self, losses: Tensor, **_: object) -> Tensor:
        """Sum of logarithms over tasks: ``[..., T]`` to ``[...]``."""
        return losses.clamp(min=EPS).log().sum(-1)

    def step(
        self,
        gradients: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        **_: object,
    ) -> GradientStep:
        """Rows ``[T, P]`` to the sum of averages of one length ``[P]``."""
        steps = state["step"] + 1
        stays = (hyper["beta"] / steps.pow(hyper["sigma"])).to(gradients.dtype)
        mean = gradients.lerp(state["mean"].to(gradients.dtype), stays.unsqueeze(-1))
        lengths = mean.norm(dim=-1)
        scales = lengths.max() / lengths.where(lengths > 0, lengths.new_ones(()))
        kept = {"mean": mean.to(state["mean"].dtype), "step": steps}
        return GradientStep(scales @ mean, scales * (1 - stays), kept)
