"""GradNorm: loss weights are learned until all tasks' gradients have lengths in step with training.

With w = T softmax(s) and G_k = w_k |g_k|, g_k the gradient of task k's loss on the trunk, Adam
moves s down the gradient of sum_k |G_k - mean(G) r_k^alpha|, the second term without a gradient:
r_k = (L_k / L_k(0)) / mean_j(L_j / L_j(0)) is large for a task that trains slowly, which gets more.
L_k(0) is the mean loss of the first epoch, in which weights are equal and nothing is learned, as in
LibMTL; the paper takes the first step's. The step itself is that of the weighted sum of losses,
heads included.

The paper measures gradients at the last shared layer; here it is the whole trunk. Our choice: Adam,
and its rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, HyperValue
from trainers.weightings._adam import AT_START, adam_step
from trainers.weightings.levels import GradientStep, StatefulGradientWeighting

if TYPE_CHECKING:
    from torch import Tensor


class GradNorm(StatefulGradientWeighting):
    """A weighted sum of losses, with weights learned from the gradients' lengths."""

    name = "gradnorm"
    title = "GradNorm"
    formula = "sum_k w_k L_k, w learned to bring |w_k g_k| to mean(|w_k g_k|) r_k^alpha"
    also_in = ("LibMTL",)
    positive = True
    paper = (
        "Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep "
        "Multitask Networks, ICML 2018, arXiv 1711.02257"
    )
    hypers = (
        Hyper(
            name="alpha",
            doc="how much more a task gets that trains slowly; 0: equal lengths",
            default=1.5,
            low=0.0,
        ),
        Hyper(name="rate", doc="learning rate of the weights", default=0.025, low=0.0),
    )

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Equal weights, Adam's moments, and losses of an epoch to come."""
        return {"s": 0.0, "first": inf, **AT_START}

    def end_epoch(
        self, state: Mapping[str, Tensor], mean_losses: Tensor, /
    ) -> Mapping[str, Tensor]:
        """The first epoch's mean losses ``[T]`` are kept."""
        first = state["first"]
        return {**state, "first": mean_losses.to(first.dtype).where(first.isinf(), first)}

    def objective(self, losses: Tensor, *, state: Mapping[str, Tensor], **_: object) -> Tensor:
        """Weighted sum over tasks: ``[..., T]`` to ``[...]``."""
        return (losses.shape[-1] * state["s"].softmax(-1) * losses).sum(-1)

    def step(
        self,
        gradients: Tensor,
        *,
        losses: Tensor,
        hyper: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        **_: object,
    ) -> GradientStep:
        """The sum of the weighted losses' gradients ``[T, P]``, and better weights."""
        n_tasks, s = len(gradients), state["s"]
        ones = gradients.new_ones(n_tasks)
        if state["first"].isinf().any():
            return GradientStep(gradients.sum(0), ones, state)
        lengths = gradients.norm(dim=-1).to(s.dtype)
        ratio = losses.clamp(min=EPS).to(s.dtype) / state["first"].clamp(min=EPS)
        target = lengths.mean() * (ratio / ratio.mean()).pow(hyper["alpha"].to(s.dtype))
        slope = (lengths - target).sign() * lengths  # of the sum by the logarithm of a weight
        taken, moments = adam_step(state, slope - s.softmax(-1) * slope.sum(), hyper["rate"])
        kept = {"s": s - taken, "first": state["first"], **moments}
        return GradientStep(gradients.sum(0), ones, kept)
