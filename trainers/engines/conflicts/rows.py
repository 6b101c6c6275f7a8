"""Every sample and task as a row of one pass, so that one backward pass gives all gradients apart.

Shapes: R runs, S samples, T tasks, M = S T rows of a run (tasks of a sample side by side), B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils._pytree import tree_map_only

from trainers.protocol import Batch, TaskFunctions


def inputs_of_rows(batch: Batch, n_tasks: int) -> Any:
    """The inputs ``[S, ...]`` of a batch, each once a task: ``[M, ...]``."""
    return mapped(lambda of: of.repeat_interleave(n_tasks, dim=0), batch.inputs)


def total_loss(
    outputs: Mapping[str, Any],
    batch: Batch,
    functions: Mapping[str, TaskFunctions],
    tasks: Sequence[str],
) -> Tensor:
    """The sum over all rows of the row's own loss, ``[]``: of its sample alone, by its task.

    Args:
        outputs: Task to ``[R, M, ...]``.
        batch: Of S samples.
    """
    n_tasks, n_runs = len(tasks), n_rows_of(outputs[tasks[0]])

    def of_sample(outputs: Mapping[str, Any], targets: Mapping[str, Any]) -> Tensor:
        return torch.stack([functions[of].loss(outputs[of], targets[of]) for of in tasks]).sum()

    def mine(task: str, place: int) -> Any:
        """The outputs of the rows of a task, each as those of a batch of one."""
        return mapped(lambda of: of[:, place::n_tasks].flatten(0, 1).unsqueeze(1), outputs[task])

    def shared(task: str) -> Any:
        return mapped(lambda of: of.repeat(n_runs, *[1] * (of.dim() - 1)), batch.targets[task])

    return vmap(of_sample, randomness="same")(
        {task: mine(task, place) for place, task in enumerate(tasks)},
        {task: mapped(lambda of: of.unsqueeze(1), shared(task)) for task in tasks},
    ).sum()


def mapped(change: Callable[[Tensor], Tensor], values: Any) -> Any:
    """A nest of values with each of its tensors ``[...]`` changed."""
    if isinstance(values, Tensor):  # looking for more takes longer than most changes
        return change(values)
    return tree_map_only(Tensor, change, values)


def n_rows_of(values: Any) -> int:
    """Length of the first dimension of a nest of tensors."""
    return int(torch.utils._pytree.tree_leaves(values)[0].shape[0])
