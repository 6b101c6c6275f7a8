"""FAMO: all losses shall fall at the same rate, seen by the same batch after each step.

With z = softmax(w), the objective is c sum_k z_k log(L_k), c = 1 / sum_k (z_k / L_k) without a
gradient: weight of task k is c z_k / L_k, and weights sum to 1. After the step, Adam moves w down
the gradient of sum_k z_k d_k, where d_k = log L_k(before) - log L_k(after): a task that has gained
less gets more. Losses are assumed to be positive; one below 1e-8 is taken as 1e-8, and not trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, HyperValue
from trainers.weightings._adam import AT_START, adam_step
from trainers.weightings.levels import AfterStepWeighting

if TYPE_CHECKING:
    from torch import Tensor


class FAMO(AfterStepWeighting):
    """A weighted sum of the losses' logarithms, with weights that learn from their changes."""

    name = "famo"
    title = "FAMO"
    formula = "c sum_k softmax_k(w) log L_k, w learned from what a step changed"
    also_in = ("LibMTL", "TorchJD")
    positive = True
    paper = "Liu et al., FAMO: Fast Adaptive Multitask Optimization, NeurIPS 2023, arXiv 2306.03792"
    hypers = (
        Hyper(name="rate", doc="learning rate of w", default=0.025, low=0.0),
        Hyper(name="decay", doc="weight decay of w", default=1e-3, low=0.0),
    )

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Equal weights, and Adam's moments and steps."""
        return {"w": 0.0, **AT_START}

    def objective(self, losses: Tensor, *, state: Mapping[str, Tensor], **_: object) -> Tensor:
        """Weighted sum of logarithms over tasks: ``[..., T]`` to ``[...]``."""
        raised, z = losses.clamp(min=EPS), state["w"].softmax(-1)
        scale = (z / raised.detach()).sum(-1).reciprocal()
        return scale * (z * raised.log()).sum(-1)

    def after_step(
        self,
        state: Mapping[str, Tensor],
        before: Tensor,
        after: Tensor,
        *,
        hyper: Mapping[str, Tensor],
    ) -> Mapping[str, Tensor]:
        """One step of Adam on w, ``[T]``."""
        gain = before.clamp(min=EPS).log() - after.clamp(min=EPS).log()
        z = state["w"].softmax(-1)
        gradient = z * (gain - (z * gain).sum(-1, keepdim=True)) + hyper["decay"] * state["w"]
        taken, moments = adam_step(state, gradient, hyper["rate"])
        return {"w": state["w"] - taken, **moments}
