"""The bargaining equation of Nash-MTL and FairGrad, solved exactly.

Shapes: T tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_TOLERANCE = 1e-7  # reached in float64 even where gradients nearly cancel each other
_MOST_STEPS = 100


def bargained(gramian: Tensor, power: float, precision: float) -> Tensor:
    """The x > 0 with ``gramian @ x == x ** -power``.

    It is the minimum of 1/2 x'Mx - sum_k phi(x_k) with phi' = x^-power, a strictly convex function,
    so there is one solution and Newton's method with a line search finds it; for a power of 1 this
    is the matrix scaling of Marshall and Olkin (Numer. Math. 1968). Others linearise the equation,
    or take least squares of it, and stop early without a word.

    Args:
        gramian: ``[T, T]``, float64, positive semidefinite up to `precision`.
        power: Above 0.
        precision: Of the Gramian, relative to its diagonal, to which that much is added: without
            it, there is no solution where a combination of gradients is 0.

    Returns:
        ``[T]``; 0 for a task without a gradient, which is left out.

    Raises:
        ArithmeticError: It is not found within 1e-7, relative to each side.
    """
    lengths = gramian.diagonal()
    there = lengths > 0
    part = gramian[there][:, there]
    part = part + part.diagonal().mul(precision).diag()
    return lengths.new_zeros(len(lengths)).masked_scatter(there, _newton(part, power))


def _newton(gramian: Tensor, power: float) -> Tensor:
    from torch.linalg import solve  # a weighting loads torch when it is used

    # in units in which each task alone has the solution 1
    unit = gramian.diagonal().pow(-1 / (1 + power))
    inner, share = unit.unsqueeze(-1) * gramian * unit, unit.pow(1 - power)
    x = unit.new_ones(len(unit))
    for _ in range(_MOST_STEPS):
        slope = inner @ x - share * x.pow(-power)
        if (slope / (share * x.pow(-power))).abs().max() < _TOLERANCE:
            return unit * x
        curvature = inner + (power * share * x.pow(-power - 1)).diag()
        x = _advanced(inner, share, power, x, -solve(curvature, slope), slope)
    raise ArithmeticError(f"no solution of M x = x^-{power:g} within {_MOST_STEPS} steps")


def _advanced(
    inner: Tensor, share: Tensor, power: float, x: Tensor, step: Tensor, slope: Tensor
) -> Tensor:
    """As far along a step as the function falls, and x stays positive."""
    before, descent, size = _value(inner, share, power, x), float(slope @ step), 1.0
    while size > 1e-12:
        tried = x + size * step
        if (tried > 0).all():
            after = _value(inner, share, power, tried)
            if after <= before + 1e-4 * size * descent + 1e-14 * abs(before):
                return tried
        size /= 2
    return x


def _value(inner: Tensor, share: Tensor, power: float, x: Tensor) -> float:
    phi = x.log() if power == 1 else x.pow(1 - power) / (1 - power)
    return float(0.5 * (x @ inner @ x) - (share * phi).sum())
