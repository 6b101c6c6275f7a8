"""FairGrad: progress is shared among tasks as by alpha-fair allocation.

The coefficients x solve G x = x^(-1/alpha), G the inner products of the tasks' gradients. An alpha
of 1 is proportional fairness, with the direction of Nash-MTL; a larger one is nearer to an equal
gain for all. A task without a gradient is left out.

The authors, LibMTL and TorchJD minimise the squares of the equation's two sides by scipy, whose
absolute tolerances end that early where gradients are small: at gradients of length 1e-3 the sides
differ by a factor of 5 in TorchJD 0.18, without a word. Here it is solved exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings import Hyper
from trainers.weightings._fairness import bargained
from trainers.weightings._solved import SolvedWeighting

if TYPE_CHECKING:
    from torch import Tensor

_PRECISION = 1e-7  # of inner products that were added up in float32


class FairGrad(SolvedWeighting):
    """An alpha-fair combination of the tasks' gradients."""

    name = "fairgrad"
    title = "FairGrad"
    formula = "sum_k a_k g_k, G a = a^(-1/alpha)"
    also_in = ("LibMTL", "TorchJD")
    paper = (
        "Ban and Ji, Fair Resource Allocation in Multi-Task Learning, ICML 2024, arXiv 2402.15638"
    )
    hypers = (
        Hyper(
            name="alpha",
            doc="fairness; higher is nearer to an equal gain for all tasks",
            default=1.0,
            low=0.0,
            low_open=True,
        ),
    )

    def solved(self, gramian: Tensor, size: float, hyper: Mapping[str, float]) -> Tensor:
        """Coefficients ``[T]``; no task gets 0, unless it has no gradient."""
        power = 1 / hyper["alpha"]
        # of s G the solution is that of G times s^(-1 / (1 + power))
        unit = size ** (-1 / (1 + power))
        return bargained(gramian, power, _PRECISION).mul(unit)
