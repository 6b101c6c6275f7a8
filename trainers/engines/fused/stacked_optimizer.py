"""One optimiser for all rows of a stack: a kernel call for all runs of one rate and decay.

PyTorch's fused kernels are called directly: around them, its optimisers do as much again for each
group in Python as the kernel takes for ten small networks. On a GPU, see `_rated_optimizer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from trainers.engines.fused.rows import Rows
from trainers.jobs import Job, Training
from trainers.optimizers import counts_steps, learning_rate, optimizer_of, run_kernel, slots

# The settings that a run cannot change are those of the solo engine's optimisers.
ANY = torch.zeros(1, requires_grad=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows with one rate and one decay, as the kernels take them.

    Attributes:
        lr: The runs' own rate, before the schedule.
        slots: What the optimiser keeps, by name.
        step: Number of steps done.
    """

    lr: float
    weight_decay: float
    values: Tensor
    grads: Tensor
    slots: dict[str, Tensor]
    step: Tensor


class StackedOptimizer:
    """Adam, AdamW or SGD over stacked rows.

    Args:
        jobs: One a row; equal rates and decays side by side.
        network: Rows that are decayed.
        learned: Rows of what the weightings learn, which are never decayed.
        steps_done: Steps before this stack was made.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        network: Rows,
        learned: Rows,
        training: Training,
        steps_done: int,
    ) -> None:
        self._training = training
        self._settings = optimizer_of([{"params": [ANY]}], training, lr=0.0).defaults
        self._groups: list[Group] = []
        start = 0
        for (lr, decay), same in groupby(jobs, lambda job: (job.lr, job.weight_decay)):
            stop = start + len(list(same))
            self._groups += [
                Group(
                    lr=lr,
                    weight_decay=weight_decay,
                    values=part.values[start:stop],
                    grads=part.grads[start:stop],
                    slots={name: slot[start:stop] for name, slot in part.slots.items()},
                    step=torch.tensor(
                        float(steps_done), dtype=torch.float32, device=part.values.device
                    ),
                )
                for part, weight_decay in ((network, decay), (learned, 0.0))
                if part.layout.shapes
            ]
            start = stop
        self._rates = [group.lr for group in self._groups]

    def begin_epoch(self, epoch: int) -> None:
        """Set the rates of an epoch, counted from 1."""
        self._rates = [
            learning_rate(
                group.lr, self._training.schedule, epoch=epoch, epochs=self._training.epochs
            )
            for group in self._groups
        ]

    @torch.no_grad()
    def step(self) -> None:
        """Change all rows by their gradients."""
        if counts_steps(self._training):
            torch._foreach_add_([group.step for group in self._groups], 1)
        for group, rate in zip(self._groups, self._rates, strict=True):
            run_kernel(
                self._training,
                self._settings,
                values=[group.values],
                grads=[group.grads],
                kept=[[group.slots[name]] for name in slots(self._training)],
                steps=[group.step],
                lr=rate,
                weight_decay=group.weight_decay,
            )
