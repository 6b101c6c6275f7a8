"""Nash-MTL: the update on which tasks agree that bargain for their share of the progress.

The coefficients x solve G x = 1 / x, G the inner products of the tasks' gradients: the Nash
bargaining solution, at which task k gains 1 / x_k. As in the authors' code G is divided by its
Frobenius norm before, so that the update does not depend on the unit of the losses, and an update
longer than `max_norm` is shortened to that; 0 leaves it. A task without a gradient is left out.

The authors, LibMTL and TorchJD linearise the equation, solve that by cvxpy and ECOS (whose last
release has no wheels for Python 3.13 and later), and where it fails keep the weights of the step
before, at first equal ones, without a word. Here it is solved exactly, without a solver's package
and without anything kept between steps; their weights are near it within their tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

from trainers.weightings import Hyper
from trainers.weightings._fairness import bargained
from trainers.weightings._solved import SolvedWeighting

if TYPE_CHECKING:
    from torch import Tensor


class NashMTL(SolvedWeighting):
    """The Nash bargaining solution of the tasks."""

    name = "nash-mtl"
    title = "Nash-MTL"
    formula = "sum_k a_k g_k, G a = 1 / a"
    also_in = ("LibMTL", "TorchJD")
    paper = "Navon et al., Multi-Task Learning as a Bargaining Game, ICML 2022, arXiv 2202.01017"
    hypers = (
        Hyper(
            name="max_norm",
            doc="longest update that the trunk gets; 0 for any length",
            default=1.0,
            low=0.0,
        ),
    )

    def solved(self, gramian: Tensor, size: float, hyper: Mapping[str, float]) -> Tensor:
        """Coefficients ``[T]``; no task gets 0, unless it has no gradient."""
        x = bargained(gramian, 1.0, _PRECISION) * gramian.square().sum().pow(0.25)
        length = sqrt(size * float(x @ gramian @ x))
        most = hyper["max_norm"]
        return x.mul(most / length if 0.0 < most < length else 1.0)


_PRECISION = 1e-7  # of inner products that were added up in float32
