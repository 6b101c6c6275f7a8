"""Adam on what a method learns by itself, at a rate that is not the network's.

Shapes: T tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings._base import EPS

if TYPE_CHECKING:
    from torch import Tensor

_BETA1, _BETA2 = 0.9, 0.999  # the usual ones, as the epsilon

AT_START: Mapping[str, float] = {"mean": 0.0, "square": 0.0, "step": 0.0}
"""Its moments and steps, part of the method's state."""


def adam_step(
    state: Mapping[str, Tensor], gradient: Tensor, rate: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """What is to be taken from what is learned, ``[T]``, and the moments and steps for the next.

    Args:
        state: With the names of `AT_START`, ``[T]`` each.
        gradient: ``[T]``.
        rate: ``[]``.
    """
    step = state["step"] + 1
    mean = _BETA1 * state["mean"] + (1 - _BETA1) * gradient
    square = _BETA2 * state["square"] + (1 - _BETA2) * gradient.square()
    size = (square / (1 - _BETA2**step)).sqrt() + EPS
    taken = rate * mean / (1 - _BETA1**step) / size
    return taken, {"mean": mean, "square": square, "step": step}
