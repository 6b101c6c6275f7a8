"""UPGrad: the mean of the tasks' gradients, each projected on the cone of what harms no task.

The projection of g_k on the dual cone of all gradients is sum_j v_j g_j with v the minimum of
v'Gv over v >= e_k, G the inner products: quadprog finds it, a problem a task. The coefficients are
the mean over k. Without conflict it is the mean gradient. G is told in units of its trace, and 1e-4
is added to its diagonal, as TorchJD does.

TorchJD takes gradients whose squares sum to less than 1e-4 for none, and returns their mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings._solved import SolvedWeighting

if TYPE_CHECKING:
    from torch import Tensor

_ADDED = 1e-4  # TorchJD's `reg_eps`; quadprog needs a positive definite matrix


class UPGrad(SolvedWeighting):
    """The mean of the tasks' gradients, each projected so that it harms no task."""

    name = "upgrad"
    title = "UPGrad"
    formula = "mean of g_k, each projected on the dual cone of all"
    also_in = ("LibMTL", "TorchJD")
    needs = ("quadprog",)
    paper = "Quinton and Rey, Jacobian Descent for Multi-Objective Optimization, arXiv 2406.16232"

    def solved(self, gramian: Tensor, _size: float, _hyper: Mapping[str, float]) -> Tensor:
        """Coefficients ``[T]``, each at least 1/T."""
        from quadprog import solve_qp

        n_tasks = len(gramian)
        unit = gramian.new_ones(n_tasks).diag()
        inner, rows = (gramian / n_tasks + _ADDED * unit).numpy(), unit.numpy()
        nothing = gramian.new_zeros(n_tasks).numpy()
        found = [solve_qp(inner, nothing, rows, row)[0] for row in rows]
        return gramian.new_tensor(sum(found) / n_tasks)
