"""GN-scale: each task's gradient counts by the inverse of its length.

The coefficient of task k is c / |g_k|, with c such that coefficients sum to T: all tasks pull the
trunk equally hard. A task without a gradient gets 0.

The paper scales losses by the lengths of their gradients, which may be measured at the last shared
layer for less; that the weight is the plain inverse, and its normalisation, is our reading of its
abstract. Here lengths are those on the whole trunk, and heads follow their own gradients unscaled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.weightings.levels import GramianWeighting

if TYPE_CHECKING:
    from torch import Tensor


class GNScale(GramianWeighting):
    """The sum of the tasks' gradients, scaled to one length."""

    name = "gn-scale"
    title = "GN-scale"
    formula = "sum_k c g_k / |g_k|, coefficients sum to T"
    paper = (
        "Guo et al., Revisit the Imbalance Optimization in Multi-Task Learning: An Experimental "
        "Analysis, arXiv 2509.23915 (formula our reading)"
    )

    def combination(self, gramian: Tensor, **_: object) -> Tensor:
        """Coefficients ``[T]`` from inner products ``[T, T]``."""
        lengths = gramian.diagonal().sqrt()
        there = lengths > 0
        inverse = (lengths[there].amin() / lengths).where(there, 0.0) if there.any() else lengths
        total = inverse.sum()
        return len(lengths) * inverse / total.where(total > 0, total.new_ones(()))
