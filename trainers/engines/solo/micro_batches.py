"""A batch in parts that go through the network one after the other: a step in a part's memory.

Shapes: T tasks, B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from trainers.engines import masks
from trainers.engines.masks import Present
from trainers.errors import TaskMismatch
from trainers.evaluation import batch_size_of
from trainers.protocol import Batch, TaskFunctions


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Some of a batch's samples.

    Attributes:
        there: The tasks that it has valid elements of.
        shares: ``[T]``, of each task's valid elements in the whole batch, the share that is here:
            means over the parts, times these, add up to the mean over the batch.
    """

    batch: Batch
    there: Present
    shares: Tensor


def micro_batches(
    batch: Batch, size: int, functions: Mapping[str, TaskFunctions]
) -> list[MicroBatch]:
    """A batch in parts of so many samples, the last one maybe smaller; views, no copies.

    Raises:
        TaskMismatch: A tensor of the batch is not ``[B, ...]``.
        BadLoss: A count of valid elements is none.
    """
    n_samples = batch_size_of(batch.inputs)
    refuse_undivided(batch, n_samples, asked="[training] `micro_batch_size`")
    parts = [some_of(batch, first, first + size) for first in range(0, n_samples, size)]
    counts = [masks.elements(part.targets, functions) for part in parts]
    numbers = torch.tensor(
        [
            [float(of_part.get(task, batch_size_of(part.inputs))) for task in functions]
            for part, of_part in zip(parts, counts, strict=True)
        ],
        dtype=torch.get_default_dtype(),
    )
    shares = numbers / numbers.sum(0).clamp(min=1.0)
    device = tree_leaves(batch.inputs)[0].device
    return [
        MicroBatch(part, masks.present_by(of_part, functions), of.to(device))
        for part, of_part, of in zip(parts, counts, shares, strict=True)
    ]


def total(parts: Sequence[MicroBatch], losses: Callable[[Batch, Present], Tensor]) -> Tensor:
    """Losses ``[T]`` of the whole batch, from those of its parts."""
    return torch.stack([losses(of.batch, of.there) * of.shares for of in parts]).sum(0)


def some_of(batch: Batch, first: int, last: int) -> Batch:
    """The samples of a batch from one to before another, as views."""

    def some(tensor: Tensor) -> Tensor:
        return tensor[first:last]

    return Batch(
        tree_map_only(Tensor, some, batch.inputs),
        tree_map_only(Tensor, some, dict(batch.targets)),
    )


def refuse_undivided(batch: Batch, n_samples: int, *, asked: str) -> None:
    """Refuse batches of which some samples cannot be taken.

    Args:
        asked: The setting that takes some.

    Raises:
        TaskMismatch: A tensor of the batch is not ``[B, ...]``.
    """
    for leaf in tree_leaves((batch.inputs, dict(batch.targets))):
        if isinstance(leaf, Tensor) and (leaf.ndim == 0 or len(leaf) != n_samples):
            raise TaskMismatch(
                f"{asked} takes some samples of a batch, so its tensors must be [B, ...] of its "
                f"{n_samples} samples. Got one of shape {tuple(leaf.shape)}. Give each sample its "
                f"own row, or drop {asked.partition('] ')[2]}."
            )
