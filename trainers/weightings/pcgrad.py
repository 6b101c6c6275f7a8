"""PCGrad: each task's gradient is projected on the normal plane of those it conflicts with.

Starting from task i's gradient g, for every other task j in random order: if <g, g_j> < 0, then
g <- g - <g, g_j> / |g_j|^2 g_j. The update is the sum of what comes of all tasks (algorithm 1).
Everything is done on coefficients of the tasks' gradients, for which their inner products suffice.
Without conflict all coefficients are 1: the update is that of EW. Others are larger, none is less.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from trainers.weightings import MissingNoise
from trainers.weightings.levels import GramianWeighting

if TYPE_CHECKING:
    from torch import Tensor

_TINY = 1e-30
"""Squared lengths are raised to this: a gradient of 0 conflicts with none."""


class PCGrad(GramianWeighting):
    """The sum of the tasks' gradients, each without what conflicts with another one."""

    name = "pcgrad"
    title = "PCGrad"
    formula = "sum of g_k, each without what conflicts with another one"
    also_in = ("LibMTL", "TorchJD")
    noise = True
    paper = "Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020, arXiv 2001.06782"

    def combination(self, gramian: Tensor, *, noise: Tensor | None, **_: object) -> Tensor:
        """Coefficients ``[T]`` from inner products ``[T, T]``; row i of the noise orders task i's.

        Raises:
            MissingNoise: There is no noise.
        """
        n_tasks = len(gramian)
        if noise is None:
            raise MissingNoise(
                f"PCGrad needs standard normal noise of shape [{n_tasks}, {n_tasks}]. Got none. "
                "Draw it anew for every step."
            )
        unit = gramian.new_ones(n_tasks).diag()
        orders = noise.masked_fill(unit.bool(), inf).argsort(-1)[:, :-1]
        rows = unit  # row i: what task i's gradient has become
        for others in orders.unbind(-1):
            met = unit[others]
            overlap = (rows @ gramian * met).sum(-1).clamp(max=0.0)
            length = gramian.diagonal()[others].clamp(min=_TINY)
            rows = rows - (overlap / length).unsqueeze(-1) * met
        return rows.sum(0)
