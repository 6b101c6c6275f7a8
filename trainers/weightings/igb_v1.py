"""IGBv1, improvable gap balancing: a task that is still far from its base gets more.

With B_k the training loss of task k averaged over the base epoch, and s = T softmax_k(L_k / B_k) of
the current batch without a gradient, the objective is sum_k s_k log(L_k): weight of task k is
s_k / L_k. Up to the end of the base epoch s is 1 for all, the plain sum of logarithms. The harder
task gets more, contrary to UW-SO. Losses are assumed to be positive; one below 1e-8 is taken as
1e-8, and not trained.

Which epoch the paper's own studies take as base is an argument of their code without a value that
was to be found: the first one is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, HyperValue, Weighting, scalar

if TYPE_CHECKING:
    from torch import Tensor


class IGBv1(Weighting):
    """A sum of logarithms, weighted by a softmax over losses in units of their base."""

    name = "igb-v1"
    title = "IGBv1"
    formula = "sum_k T softmax_k(sg(L) / B) log L_k, B the losses of a base epoch"
    positive = True
    paper = (
        "Dai et al., Improvable Gap Balancing for Multi-Task Learning, UAI 2023, arXiv 2307.15429"
    )
    hypers = (
        Hyper(
            name="base_epoch",
            doc="epoch, from 1, whose mean losses are the base",
            default=1.0,
            low=1.0,
            whole=True,
        ),
    )

    def state(self, hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Epochs until the base is known, and a base that makes all ratios 0."""
        return {"left": scalar(hyper["base_epoch"]), "base": inf}

    def end_epoch(
        self, state: Mapping[str, Tensor], mean_losses: Tensor, /
    ) -> Mapping[str, Tensor]:
        """One epoch less; the base ``[..., T]`` once there are none."""
        left = state["left"] - 1
        ends = (left <= 0) & (state["left"] > 0)
        base = mean_losses.to(state["base"].dtype).where(ends, state["base"])
        return {"left": left, "base": base}

    def objective(self, losses: Tensor, *, state: Mapping[str, Tensor], **_: object) -> Tensor:
        """Weighted sum of logarithms over tasks: ``[..., T]`` to ``[...]``."""
        raised = losses.clamp(min=EPS)
        ratio = raised.detach() / state["base"].clamp(min=EPS)
        exponentials = (ratio - ratio.amax(-1, keepdim=True)).exp()
        # Divided by the mean, equal ratios give exactly 1; T times a softmax may miss it by a bit.
        share = exponentials / exponentials.mean(-1, keepdim=True)
        return (share * raised.log()).sum(-1)
