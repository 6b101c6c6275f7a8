"""Losses and metrics over a whole split, added up batch by batch."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trainers.errors import BadMetric
from trainers.protocol import Batch, Metric, TaskFunctions

Value = tuple[str, str, str, float]


class Evaluation:
    """One network's losses and metrics, added up batch by batch over a split.

    The network evaluates from now on, until somebody lets it train again.
    """

    def __init__(self, network: nn.Module, functions: Mapping[str, TaskFunctions]) -> None:
        self._network, self._functions = network, functions
        self._losses: dict[str, Tensor | float] = dict.fromkeys(functions, 0.0)
        self._totals: dict[tuple[str, str], Tensor] = {}
        self._n_samples = 0
        network.eval()

    @torch.no_grad()
    def add(self, batch: Batch) -> None:
        """Take a batch into account."""
        outputs = self._network(batch.inputs)
        n_batch = batch_size_of(batch.inputs)
        self._n_samples += n_batch
        for task, parts in self._functions.items():
            output, target = outputs[task], batch.targets[task]
            # a number would be waited for, in each batch
            self._losses[task] = self._losses[task] + parts.loss(output, target).double() * n_batch
            for name, metric in parts.metrics.items():
                add_up(self._totals, (task, name), metric.statistics(output, target))

    def values(self, split: str) -> list[Value]:
        """``(split, task, metric, value)`` of each task's mean loss and metrics.

        The loss is the mean over batches weighted by their samples; metrics add up exactly.

        Raises:
            BadMetric: The value of a metric is no number.
        """
        functions = self._functions
        losses = ((task, float(loss) / self._n_samples) for task, loss in self._losses.items())
        values: list[Value] = [(split, task, "loss", loss) for task, loss in losses]
        values += [
            (split, task, name, metric_value(task, name, functions[task].metrics[name], total))
            for (task, name), total in self._totals.items()
        ]
        return values


def add_up(totals: dict[tuple[str, str], Tensor], name: tuple[str, str], amount: Tensor) -> None:
    """Add a batch's statistics to a metric's, in double precision: single precision loses counts.

    Args:
        totals: Task and metric to statistics ``[..., Q]`` so far.
    """
    found = amount.double()
    before = totals.get(name)
    totals[name] = found if before is None else before + found


def metric_value(task: str, name: str, metric: Metric, total: Tensor) -> float:
    """A metric as a plain float: problems may return a scalar of numpy or torch.

    Raises:
        BadMetric: It is no number.
    """
    found: object = metric.value(total)
    try:
        if isinstance(found, str | bytes):  # which `float` would read
            raise TypeError
        return float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):  # the last for a tensor of many numbers
        raise BadMetric(
            f"The metric {name} of task {task} must be one number. `value` returned {found!r}. "
            "Return a float, or a scalar of numpy or torch."
        ) from None


def first_not_finite(values: list[Value]) -> str:
    """Name the first value that is not finite, or return an empty string."""
    for split, task, metric, value in values:
        if not math.isfinite(value):
            return f"{split} {metric} of task {task} is {value}"
    return ""


def storable(values: list[Value]) -> list[Value]:
    """The values with infinity for what is not a number: test data must decide nothing.

    A run whose training and validation are finite is a good run, whatever it makes of the test
    data; a database column that refuses NaN holds infinity.
    """
    return [
        (split, task, metric, math.inf if math.isnan(value) else value)
        for split, task, metric, value in values
    ]


def batch_size_of(inputs: object) -> int:
    """Samples of a batch, from the first tensor of its inputs."""
    leaves = torch.utils._pytree.tree_leaves(inputs)
    return int(leaves[0].shape[0])
