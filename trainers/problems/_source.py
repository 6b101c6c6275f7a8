"""Samples that lie in memory, on the device they are trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.problems.errors import BadShape
from trainers.protocol import Batch
from trainers.randomness import Key


@dataclass(frozen=True, slots=True, eq=False)
class TensorSource:
    """One split as whole tensors.

    Attributes:
        inputs: ``[N, ...]``, what the trunk takes.
        targets: Task name to ``[N, ...]``, on the device of `inputs`.

    Raises:
        BadShape: A target has another number of samples than the inputs.
    """

    inputs: Tensor
    targets: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        for task, target in self.targets.items():
            if len(target) != self.size:
                raise BadShape(
                    f"Inputs and targets must have one row a sample. Got {self.size} inputs and "
                    f"{len(target)} targets of task `{task}`. Build both from the same samples."
                )

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.inputs)

    def batches(
        self,
        order: Tensor | None,
        batch_size: int,
        key: Key,  # noqa: ARG002 - part of the protocol; samples in memory are not augmented
    ) -> Iterator[Batch]:
        """Yield the samples in batches; without an order these are views, nothing is copied.

        Args:
            order: ``[N]`` sample indices, or None for the stored order.
            batch_size: Samples a batch; the last one may be smaller.
            key: Not used: nothing here is random.
        """
        if order is not None:
            order = order.to(self.inputs.device)
        for start in range(0, self.size if order is None else len(order), batch_size):
            rows = slice(start, start + batch_size)
            if order is None:
                targets = {task: whole[rows] for task, whole in self.targets.items()}
                yield Batch(self.inputs[rows], targets)
            else:
                index = order[rows]
                targets = {task: t.index_select(0, index) for task, t in self.targets.items()}
                yield Batch(self.inputs.index_select(0, index), targets)


@dataclass(frozen=True, slots=True, eq=False)
class ByteSource(TensorSource):
    """One split whose inputs ``[N, ...]`` are kept as bytes, and handed out as 0 to 1.

    They take a quarter of the memory.
    """

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """Yield the samples in batches, as `TensorSource` does.

        Args:
            order: ``[N]`` sample indices, or None for the stored order.
            batch_size: Samples a batch; the last one may be smaller.
            key: Not used: nothing here is random.
        """
        for batch in TensorSource.batches(self, order, batch_size, key):
            yield Batch(batch.inputs.to(torch.float32) / 255, batch.targets)
