"""The tensors of many runs in one matrix, a row a run.

A row holds all tensors of a run one after the other and is filled up to a multiple of 64 numbers:
then no number of any run falls into the remainder of a vectorised kernel, which is computed one by
one and rounds differently, and the optimiser's kernels take many runs at once.

On a GPU each tensor begins at a multiple of 16 bytes, for kernels that read as much at once.

Shapes: R rows, W numbers a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from trainers.hardware import gpu
from trainers.optimizers import Kept

ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class RowLayout:
    """Where in a row each tensor lies.

    Attributes:
        shapes: Name to shape, in the order of the row.
        step: Tensors begin at multiples of so many numbers.
    """

    shapes: Mapping[str, tuple[int, ...]]
    step: int = 1

    @classmethod
    def on(cls, device: torch.device, shapes: Mapping[str, tuple[int, ...]]) -> RowLayout:
        """The layout for a device; on a CPU sums over a row go by it, so that it stays."""
        return cls(shapes, step=4 if gpu.wants_few_kernels(device) else 1)

    @property
    def width(self) -> int:
        """Numbers a row, filling included."""
        n_numbers = sum(_up(prod(shape), self.step) for shape in self.shapes.values())
        return _up(n_numbers, ALIGNMENT)

    def views(self, rows: Tensor) -> dict[str, Tensor]:
        """Each tensor's part ``[..., *shape]`` of rows ``[..., W]``."""
        found, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + prod(shape)
            found[name] = rows[..., start:stop].view(*rows.shape[:-1], *shape)
            start = _up(stop, self.step)
        return found


def _up(n: int, step: int) -> int:
    return -(-n // step) * step


class Rows:
    """Parameters, gradients and what the optimiser keeps, ``[R, W]``; what is per task has T first.

    Args:
        n_tasks: T, for an optimiser that keeps something per task.

    Attributes:
        leaves: Name to parameters ``[R, *shape]``, to be differentiated by.
        grads: ``[R, W]``, or ``[T, R, W]`` if something is kept per task.
        by_task: For each of the T, or for all tasks together, name to gradients ``[R, *shape]``.
        gradients: The first of them.
        kept: What the optimiser keeps, by name.
    """

    def __init__(
        self,
        layout: RowLayout,
        *,
        n_rows: int,
        kept: Sequence[Kept],
        device: torch.device,
        n_tasks: int = 1,
    ) -> None:
        shape = n_rows, layout.width
        per_task = (n_tasks, *shape)
        splits = any(of.per_task for of in kept)
        self.layout = layout
        self.values = torch.zeros(shape, device=device)
        self.grads = torch.zeros(per_task if splits else shape, device=device)
        self.kept = {
            of.name: torch.zeros(per_task if of.per_task else shape, dtype=of.dtype, device=device)
            for of in kept
        }
        self.leaves = {
            name: view.detach().requires_grad_() for name, view in layout.views(self.values).items()
        }
        self.by_task = [layout.views(of) for of in (self.grads if splits else [self.grads])]
        self.gradients = self.by_task[0]
