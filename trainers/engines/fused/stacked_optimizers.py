"""One optimiser for all rows of a stack: on a CPU a kernel call a rate, on a GPU a few for all.

PyTorch's fused kernels take one rate for all they change. On a CPU they are called directly: around
them, its optimisers do as much again for each group in Python as the kernel takes for ten small
networks. But 36 runs of as many rates are 36 calls, and a GPU waits longer for those than it works:
there, rates and decays are columns beside the rows. On a CPU that is slower.

Shapes: R rows, W numbers a row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from trainers.engines import one_epoch
from trainers.engines.fused.rows import Rows
from trainers.engines.stepping import optimizer_of
from trainers.jobs import Job, Training
from trainers.optimizers import optimizer

_ANY = torch.zeros(1, requires_grad=True)


class StackedOptimizer(ABC):
    """The study's optimiser over stacked rows, each with its own rate and decay.

    Args:
        jobs: One a row; the fewer calls, the more equal rates and decays are side by side.
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
        self._jobs, self._training = jobs, training
        self._method = optimizer(training.optimizer, training.folder)
        # The settings that a run cannot change are those of the solo engine's optimisers.
        self._settings = optimizer_of([{"params": [_ANY]}], training, lr=0.0).defaults
        self._arrange(network, learned, steps_done)
        self._set_rates([job.lr for job in jobs])

    def begin_epoch(self, epoch: int) -> None:
        """Set the rates of an epoch, counted from 1."""
        schedule, epochs = self._training.schedule, self._training.epochs
        self._set_rates(
            [
                one_epoch.learning_rate(job.lr, schedule, epoch=epoch, epochs=epochs)
                for job in self._jobs
            ]
        )

    @abstractmethod
    def step(self) -> None:
        """Change all rows by their gradients."""

    @abstractmethod
    def _arrange(self, network: Rows, learned: Rows, steps_done: int) -> None:
        """Take the rows, as the steps will."""

    @abstractmethod
    def _set_rates(self, rates: Sequence[float]) -> None:
        """Take the rates ``[R]`` of the steps to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Rows with one rate and one decay, as the kernels take them.

    Attributes:
        first: Number of their first row.
        kept: What the optimiser keeps, by name.
        step: Number of steps done.
    """

    first: int
    weight_decay: float
    values: Tensor
    grads: Tensor
    kept: dict[str, Tensor]
    step: Tensor


class GroupedOptimizer(StackedOptimizer):
    """One of PyTorch's kernels for all neighbours of one rate and one decay."""

    @torch.no_grad()
    def step(self) -> None:
        """Change all rows by their gradients."""
        counts = self._method.counts_steps
        if counts:
            torch._foreach_add_([group.step for group in self._groups], 1)
        for group, rate in zip(self._groups, self._rates, strict=True):
            self._method.update_all(
                [group.values],
                [group.grads],
                {name: [kept] for name, kept in group.kept.items()},
                settings=self._settings,
                steps=[group.step] if counts else [],
                lr=rate,
                weight_decay=group.weight_decay,
            )

    def _arrange(self, network: Rows, learned: Rows, steps_done: int) -> None:
        self._groups: list[_Group] = []
        start = 0
        for (_, decay), same in groupby(self._jobs, lambda job: (job.lr, job.weight_decay)):
            stop = start + len(list(same))
            self._groups += [
                _Group(
                    first=start,
                    weight_decay=weight_decay,
                    values=part.values[start:stop],
                    grads=part.grads[..., start:stop, :],
                    kept={name: kept[..., start:stop, :] for name, kept in part.kept.items()},
                    step=torch.tensor(
                        float(steps_done), dtype=torch.float32, device=part.values.device
                    ),
                )
                for part, weight_decay in ((network, decay), (learned, 0.0))
                if part.layout.shapes
            ]
            start = stop

    def _set_rates(self, rates: Sequence[float]) -> None:
        self._rates = [rates[group.first] for group in self._groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows that are changed alike.

    Attributes:
        decay: Of each row ``[R, 1]``; None where nothing is decayed.
    """

    rows: Rows
    decay: Tensor | None


class RatedOptimizer(StackedOptimizer):
    """A few kernels, whatever the rates: these are a column beside the rows."""

    @torch.no_grad()
    def step(self) -> None:
        """Change all rows by their gradients."""
        self._n_steps += 1
        for part in self._parts:
            self._method.update(
                part.rows.values,
                part.rows.grads,
                part.rows.kept,
                settings=self._settings,
                n_steps=self._n_steps,
                lr=self._rates,
                weight_decay=part.decay,
            )

    def _arrange(self, network: Rows, learned: Rows, steps_done: int) -> None:
        self._n_steps, self._like = steps_done, network.values
        decays = [job.weight_decay for job in self._jobs]
        decay = self._column(decays) if any(decays) else None
        parts = [_Part(rows=network, decay=decay), _Part(rows=learned, decay=None)]
        self._parts = [part for part in parts if part.rows.layout.shapes]

    def _set_rates(self, rates: Sequence[float]) -> None:
        self._rates = self._column(rates)

    def _column(self, values: Sequence[float]) -> Tensor:
        return self._like.new_tensor(values).unsqueeze(1)
