"""GO4Align: tasks are grouped by what weight they would get alone, and a group shares one.

With S_k the sum of task k's losses over all steps so far, this one included, and
p = softmax_k(-rate S_k), task k would get v_k = p_k sum_j(L_j) / L_k: one whose loss has been small
gets more, in units of its loss. The v are parted into `groups` groups by K-means, and the weight of
each task is the mean v of its group; no gradient goes through it. In one dimension the best parting
is found exactly, so that no start of K-means matters. With as many groups as tasks, each has its
own. Losses are assumed to be positive; below 1e-8 they are weighted as 1e-8, and no v is above 1e8.

The formula is from the paper, of whose code no line is used; two groups are our choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

from trainers.weightings import EPS, Hyper, HyperValue
from trainers.weightings.levels import AfterStepWeighting

if TYPE_CHECKING:
    from torch import Tensor


class GO4Align(AfterStepWeighting):
    """A weighted sum whose weights are the means of groups of tasks."""

    name = "go4align"
    title = "GO4Align"
    formula = (
        "sum_k v_g(k) L_k, v the group means of softmax_k(-rate S) sum(L) / L_k, S losses so far"
    )
    positive = True
    solo_only = "keeps what it has seen step by step"
    forward_passes = 1
    paper = (
        "Shen et al., GO4Align: Group Optimization for Multi-Task Alignment, NeurIPS 2024, "
        "arXiv 2404.06486"
    )
    hypers = (
        Hyper(
            name="groups",
            doc="number of groups; a group of tasks shares one weight",
            default=2.0,
            low=1.0,
            whole=True,
        ),
        Hyper(
            name="rate",
            doc="how much a unit of loss lowers the logarithm of a task's share",
            default=1e-4,
            low=0.0,
        ),
    )

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Losses summed over steps."""
        return {"seen": 0.0}

    def objective(
        self,
        losses: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        **_: object,
    ) -> Tensor:
        """Weighted sum over tasks: ``[..., T]`` to ``[...]``."""
        raised = losses.detach().clamp(min=EPS)
        seen = (state["seen"] + losses.detach()).to(raised.dtype)
        share = (-hyper["rate"].unsqueeze(-1) * seen).softmax(-1)
        alone = (share * (raised.sum(-1, keepdim=True) / raised)).clamp(max=1 / EPS)
        rows, counts = alone.reshape(-1, alone.shape[-1]).tolist(), hyper["groups"].reshape(-1)
        grouped = [_group_means(row, int(n)) for row, n in zip(rows, counts, strict=True)]
        return (losses.new_tensor(grouped).reshape(alone.shape) * losses).sum(-1)

    def after_step(
        self,
        state: Mapping[str, Tensor],
        before: Tensor,
        _after: Tensor,
        *,
        hyper: Mapping[str, Tensor],  # noqa: ARG002
    ) -> Mapping[str, Tensor]:
        """The losses ``[T]`` of the step are added."""
        return {"seen": state["seen"] + before}


def _group_means(values: Sequence[float], n_groups: int) -> list[float]:
    """Each value's group mean, for the parting with the least squares within groups."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [values[place] for place in order]
    means = [0.0] * len(values)
    for first, end in pairwise(_bounds(ranked, min(n_groups, len(ranked)))):
        mean = sum(ranked[first:end]) / (end - first)
        for place in order[first:end]:
            means[place] = mean
    return means


def _bounds(ranked: Sequence[float], n_groups: int) -> list[int]:
    """Where groups of a sorted list begin and the last one ends: K-means, exact in one dimension.

    By dynamic programming over the end of the last group (Wang and Song, ckmeans.1d.dp, R Journal
    2011).
    """
    n = len(ranked)
    best = [(_squares(ranked[:end]), [0, end]) for end in range(1, n + 1)]
    for _ in range(n_groups - 1):
        best = [
            min(
                (best[start - 1][0] + _squares(ranked[start:end]), [*best[start - 1][1], end])
                for start in range(1, end)
            )
            if end > 1
            else (inf, [0, 1])
            for end in range(1, n + 1)
        ]
    return best[-1][1]


def _squares(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)
