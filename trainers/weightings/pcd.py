"""PCD, priority-constrained descent: one task leads, the others get their share of progress.

With v_k the moving average of |g_k|^2 over steps, its start corrected, and gradients divided by
sqrt(v_k + 1e-8), the update is the d nearest to the primary task's gradient for which each other
task has <g_j, d> >= tau |g_j|^2, then made as long as the primary gradient was. Where no d gives
all of them their share, it is the primary gradient; where that is 0, it is 0. quadprog finds d
(Goldfarb and Idnani), of as many numbers as there are independent gradients.

The primary task is the one with the largest `priority`, the first one of equals: without any, the
first task of the problem. A batch without labels of it follows the first of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import TYPE_CHECKING, Any

from trainers.weightings import EPS, Hyper, HyperValue
from trainers.weightings.errors import Unsolved
from trainers.weightings.levels import GradientStep, StatefulGradientWeighting

if TYPE_CHECKING:
    from torch import Tensor

_PRECISION = 1e-6  # of inner products that were added up in float32, relative
_INFEASIBLE = "constraints are inconsistent"


class PCD(StatefulGradientWeighting):
    """The update nearest to one task's gradient that leaves the others a share of progress."""

    name = "pcd"
    title = "PCD"
    formula = "the d nearest to the primary g_1 with <g_j, d> >= tau |g_j|^2, as long as g_1"
    also_in = ("TorchJD",)
    needs = ("quadprog",)
    paper = (
        "Not All Objectives Are Born Equal: Priority-Constrained Descent for Hierarchical "
        "Multi-Objective Optimization, TMLR 2026, arXiv 2606.29521"
    )
    hypers = (
        Hyper(
            name="tau",
            doc="share of its own progress that each other task gets at least",
            default=0.02,
            low=0.0,
            high=1.0,
        ),
        Hyper(
            name="beta",
            doc="share of the average squared lengths that stays in a step",
            default=0.999,
            low=0.0,
            high=0.999999,
        ),
        Hyper(
            name="priority",
            doc="rank of each task, in the order of the problem's tasks; the largest leads",
            default=0.0,
            per_task=True,
        ),
    )

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Averages of squared lengths, and steps."""
        return {"square": 0.0, "step": 0.0}

    def step(
        self,
        gradients: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        **_: Any,
    ) -> GradientStep:
        """Rows ``[T, P]`` to the update ``[P]``.

        Raises:
            Unsolved: quadprog found no solution, for another reason than that there is none.
        """
        gramian = gradients @ gradients.mT
        if not gramian.isfinite().all():
            weights = gramian.new_full((len(gramian),), nan)
            return GradientStep(weights @ gradients, weights, state)
        squares, beta = gramian.diagonal().to(state["square"].dtype), hyper["beta"]
        steps = state["step"] + 1
        average = beta * state["square"] + (1 - beta) * squares
        scales = (average / (1 - beta**steps) + EPS).rsqrt().cpu().double()
        inner = scales.unsqueeze(-1) * gramian.cpu().double() * scales
        primary = int(hyper["priority"].argmax())
        found = self._found(inner, primary, float(hyper["tau"]))
        length = float(found @ inner @ found)
        lost = _PRECISION * float((found.abs() @ inner.diagonal().sqrt()).square())
        size = (float(squares[primary]) / length) ** 0.5 if length > lost else 0.0
        weights = (found * scales * size).to(gramian)
        return GradientStep(weights @ gradients, weights, {"square": average, "step": steps})

    def _found(self, inner: Tensor, primary: int, tau: float) -> Tensor:
        """Coefficients ``[T]`` of the scaled gradients, from their inner products ``[T, T]``."""
        from quadprog import solve_qp
        from torch.linalg import eigh

        found = inner.new_zeros(len(inner))
        found[primary] = 1.0
        others = inner.diagonal() > 0
        others[primary] = False
        if not others.any() or inner[primary, primary] == 0:
            return found
        values, vectors = eigh(inner)
        kept = values > _PRECISION * values[-1]
        rows = vectors[:, kept] * values[kept].sqrt()  # [T, R], of the same inner products
        try:
            multipliers = solve_qp(
                rows.new_ones(rows.shape[1]).diag().numpy(),
                rows[primary].numpy(),
                rows[others].mT.numpy(),
                (tau * inner.diagonal()[others]).numpy(),
            )[4]
        except ValueError as error:
            if _INFEASIBLE in str(error):
                return found
            raise Unsolved(
                f"PCD must find an update in every step. It did not for the inner products "
                f"{inner.tolist()}: {error}. Lower the learning rate, or take another weighting."
            ) from error
        found[others] = rows.new_tensor(multipliers)
        return found
