"""Scalarization: weights that are fixed before training, found by search.

Weight of task k: the hyperparameter w_k; weights are not negative and sum to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import Hyper, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class Scalarization(Weighting):
    """A weighted sum with given weights."""

    name = "scalarization"
    title = "Scalarization"
    formula = "sum_k w_k L_k, w fixed, on the simplex"
    also_in = ("TorchJD",)
    fixed = True
    paper = (
        "Kirchdorfer et al., Analytical Uncertainty-Based Loss Weighting in Multi-Task Learning, "
        "GCPR 2024, arXiv 2408.07985 (as the brute-force reference)"
    )
    hypers = (
        Hyper(
            name="task_weights",
            doc="weight of each task's loss, in the order of the problem's tasks",
            per_task=True,
            low=0.0,
            total=1.0,
        ),
    )

    def objective(self, losses: Tensor, *, hyper: Mapping[str, Tensor], **_: object) -> Tensor:
        """Weighted sum over tasks: ``[..., T]`` to ``[...]``."""
        return (hyper["task_weights"] * losses).sum(-1)
