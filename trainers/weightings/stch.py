"""STCH, smooth Tchebycheff scalarization: nearly the largest of the losses, in units of a base.

The objective is T mu log sum_k exp(log(L_k / z_k) / mu), a smooth upper bound of
T max_k log(L_k / z_k) that is tighter as mu is smaller: weight of task k is
T softmax_k(log(L_k / z_k) / mu) / L_k. The base z are the training losses averaged over the last of
`warm_up` epochs, in which the objective is the plain sum of logarithms. It is TorchJD's scalarizer
on the losses' logarithms, times T^2 and at mu / T, with LibMTL's warm-up (four epochs, and the one
of the base). Losses are assumed to be positive; one below 1e-8 is taken as 1e-8, and not trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, HyperValue, Weighting, scalar

if TYPE_CHECKING:
    from torch import Tensor


class STCH(Weighting):
    """A smooth maximum of the losses' logarithms."""

    name = "stch"
    title = "STCH"
    formula = "T mu log sum_k (L_k / z_k)^(1/mu), z the losses of the warm-up's last epoch"
    also_in = ("LibMTL", "TorchJD")
    positive = True
    paper = (
        "Lin et al., Smooth Tchebycheff Scalarization for Multi-Objective Optimization, ICML 2024, "
        "arXiv 2402.19078"
    )
    hypers = (
        Hyper(
            name="mu",
            doc="smoothness of the maximum; less is nearer to the largest loss alone",
            default=1.0,
            low=0.0,
            low_open=True,
        ),
        Hyper(
            name="warm_up",
            doc="epochs by the sum of logarithms, of whose last one the mean losses are the base",
            default=5.0,
            low=1.0,
            whole=True,
        ),
    )

    def state(self, hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Epochs of warm-up that are left, and a base of 1."""
        return {"left": scalar(hyper["warm_up"]), "base": 1.0}

    def end_epoch(
        self, state: Mapping[str, Tensor], mean_losses: Tensor, /
    ) -> Mapping[str, Tensor]:
        """One epoch less; the base ``[..., T]`` once there are none."""
        left = state["left"] - 1
        ends = (left <= 0) & (state["left"] > 0)
        return {
            "left": left,
            "base": mean_losses.to(state["base"].dtype).where(ends, state["base"]),
        }

    def objective(
        self,
        losses: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        **_: object,
    ) -> Tensor:
        """Sum of logarithms over tasks, or their smooth maximum: ``[..., T]`` to ``[...]``."""
        logs = losses.clamp(min=EPS).log()
        mu = hyper["mu"]
        ratios = logs - state["base"].clamp(min=EPS).log()
        # of ratios less the largest one: those over a tiny mu would overflow
        largest = ratios.detach().amax(-1, keepdim=True)
        spread = ((ratios - largest) / mu.unsqueeze(-1)).logsumexp(-1)
        smooth = losses.shape[-1] * (mu * spread + largest.squeeze(-1))
        warming = (state["left"] > 0).any(-1)
        return logs.sum(-1).where(warming, smooth)
