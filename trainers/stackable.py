"""Losses that are written for stacks of outputs.

`torch.func.vmap` vectorises any loss, and does so for a user's; but it takes a small one apart into
many operations, around which more time goes by than in them.

Shapes: R rows (runs), B batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper

from torch import Tensor


class Stackable:
    """A loss of outputs ``[R, B, ...]`` that share their target; also of a single output.

    Args:
        stacked: Computes the losses ``[R]``, each from its own row alone.
    """

    def __init__(self, stacked: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.stacked = stacked
        update_wrapper(self, stacked)

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """The scalar loss of one output ``[B, ...]``, a stack of one row."""
        return self.stacked(output.unsqueeze(0), target)[0]
