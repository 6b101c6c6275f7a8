"""Losses and metrics over a whole split, added up batch by batch."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trainers.errors import BadMetric
from trainers.protocol import Metric, Source, TaskFunctions
from trainers.randomness import Key

Value = tuple[str, str, str, float]


@torch.no_grad()
def evaluate(
    network: nn.Module,
    source: Source,
    functions: Mapping[str, TaskFunctions],
    *,
    split: str,
    batch_size: int,
) -> list[Value]:
    """``(split, task, metric, value)`` of each task's mean loss and metrics.

    The loss is the mean over batches weighted by their samples; metrics add up exactly.

    Raises:
        BadMetric: The value of a metric is no number.
    """
    network.eval()
    losses = dict.fromkeys(functions, 0.0)
    totals: dict[tuple[str, str], Tensor] = {}
    n_samples = 0
    for batch in source.batches(None, batch_size, Key("evaluation")):
        outputs = network(batch.inputs)
        n_batch = batch_size_of(batch.inputs)
        n_samples += n_batch
        for task, parts in functions.items():
            output, target = outputs[task], batch.targets[task]
            losses[task] += parts.loss(output, target).item() * n_batch
            for name, metric in parts.metrics.items():
                statistics = metric.statistics(output, target)
                previous = totals.get((task, name))
                totals[task, name] = statistics if previous is None else previous + statistics
    network.train()
    values = [(split, task, "loss", loss / n_samples) for task, loss in losses.items()]
    values += [
        (split, task, name, metric_value(task, name, functions[task].metrics[name], total))
        for (task, name), total in totals.items()
    ]
    return values


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
