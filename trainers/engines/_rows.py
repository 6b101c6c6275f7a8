"""The tensors of many runs in one matrix, a row a run.

A row holds all tensors of a run one after the other and is filled up to a multiple of 64 numbers:
then no number of any run falls into the remainder of a vectorised kernel, which is computed one by
one and rounds differently, and the optimiser's kernels take many runs at once.

Shapes: R rows, W numbers a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a row each tensor lies.

    Attributes:
        shapes: Name to shape, in the order of the row.
    """

    shapes: Mapping[str, tuple[int, ...]]

    @property
    def width(self) -> int:
        """Numbers a row, filling included."""
        n_numbers = sum(prod(shape) for shape in self.shapes.values())
        return -(-n_numbers // ALIGNMENT) * ALIGNMENT

    def views(self, rows: Tensor) -> dict[str, Tensor]:
        """Each tensor's part ``[R, *shape]`` of rows ``[R, W]``."""
        found, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + prod(shape)
            found[name] = rows[:, start:stop].view(len(rows), *shape)
            start = stop
        return found


class Rows:
    """Parameters, gradients and what the optimiser keeps, all ``[R, W]``.

    Attributes:
        leaves: Name to parameters ``[R, *shape]``, to be differentiated by.
        gradients: Name to gradients ``[R, *shape]``.
    """

    def __init__(
        self, layout: Layout, *, n_rows: int, slots: Sequence[str], device: torch.device
    ) -> None:
        shape = n_rows, layout.width
        self.layout = layout
        self.values, self.grads = (torch.zeros(shape, device=device) for _ in range(2))
        self.slots = {name: torch.zeros(shape, device=device) for name in slots}
        self.leaves = {
            name: view.detach().requires_grad_() for name, view in layout.views(self.values).items()
        }
        self.gradients = layout.views(self.grads)
