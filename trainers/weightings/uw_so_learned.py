"""UW-SO with a temperature that is learned beside the network.

With w = softmax_k((1 / L_k) / temperature) as in UW-SO, no gradient through the losses in it, the
objective is sum_k w_k L_k + penalty / temperature: the weighted sum alone would take the
temperature to 0, one task only. The temperature is the softplus of what is learned, which keeps it
positive.

Second-hand: that it is a softplus, starts at 1 and has the penalty 1 / temperature ("strategy 3",
Eq. 24) is told by others of the paper, whose text was not to be had. What is learned has one copy a
task, whose mean counts: under Adam they move as one number would, under SGD T times slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1, log
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, HyperValue, Weighting, scalar

if TYPE_CHECKING:
    from torch import Tensor


class UWSOLearned(Weighting):
    """A weighted sum with softmaxed inverse losses as weights, at a learned temperature."""

    name = "uw-so-learned"
    title = "UW-SO learned"
    formula = "as UW-SO, + penalty / temperature, the temperature learned"
    positive = True
    paper = (
        "Kirchdorfer et al., Investigating Uncertainty Weighting for Multi-Task Learning, IJCV "
        "2025, DOI 10.1007/s11263-025-02625-x (formula second-hand)"
    )
    hypers = (
        Hyper(
            name="start",
            doc="temperature that it starts at",
            default=1.0,
            low=0.0,
            low_open=True,
        ),
        Hyper(
            name="penalty",
            doc="times the inverse temperature, what is added to the weighted losses",
            default=1.0,
            low=0.0,
        ),
    )

    def params(self, hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """What the temperature is the softplus of."""
        start = scalar(hyper["start"])
        return {"raw": start + log(-expm1(-start))}

    def objective(
        self,
        losses: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        **_: object,
    ) -> Tensor:
        """Weighted sum over tasks and the penalty: ``[..., T]`` to ``[...]``."""
        raw = params["raw"].mean(-1, keepdim=True)
        temperature = raw.clamp(min=0.0) + (-raw.abs()).exp().log1p()
        inverse = losses.detach().clamp(min=EPS).reciprocal()
        weights = (inverse / temperature).softmax(-1)
        return (weights * losses).sum(-1) + hyper["penalty"] / temperature.squeeze(-1)
