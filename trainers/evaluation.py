"""Losses and metrics over a whole split, added up batch by batch.

Shapes: T tasks, Q statistics.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from trainers.errors import BadMetric, TaskMismatch
from trainers.protocol import Batch, Metric, TaskFunctions

Value = tuple[str, str, str, float]
MetricKey = tuple[str, str]
"""Of a metric: task and name."""


class Evaluation:
    """One network's losses and metrics, added up batch by batch over a split.

    The network evaluates from now on, until somebody lets it train again.
    """

    def __init__(self, network: nn.Module, functions: Mapping[str, TaskFunctions]) -> None:
        self._network, self._functions = network, functions
        self._losses: dict[str, Tensor | float] = dict.fromkeys(functions, 0.0)
        self._counts: Tensor | int = 0
        self._statistics = Statistics(functions)
        network.eval()

    @torch.no_grad()
    def add(self, batch: Batch) -> None:
        """Take a batch into account."""
        outputs = self._network(batch.inputs)
        counts = counts_of(batch, self._functions)
        self._counts = self._counts + counts
        for place, (task, parts) in enumerate(self._functions.items()):
            output, target = outputs[task], batch.targets[task]
            count = counts if isinstance(counts, int) else counts[place]
            # a number would be waited for, in each batch
            self._losses[task] = self._losses[task] + summed(parts.loss(output, target), count)
            for name, metric in parts.metrics.items():
                self._statistics.add((task, name), metric.statistics(output, target))

    def values(self, split: str) -> list[Value]:
        """``(split, task, metric, value)`` of each task's mean loss and metrics.

        The loss is the mean over batches weighted by their samples, or by the valid elements of a
        task that counts these; metrics add up exactly. A task without any has no values.

        Raises:
            BadMetric: The value of a metric is no number.
        """
        counts = at_hand(self._counts, len(self._functions))
        losses = zip(self._losses.items(), counts, strict=True)
        means = {task: float(loss) / count for (task, loss), count in losses if count}
        return values_of(split, means, self._functions, self._statistics.totals())


class Statistics:
    """Statistics of all metrics over a split: added up, or put one after the other if gathered.

    In double precision: single precision loses counts.
    """

    def __init__(self, functions: Mapping[str, TaskFunctions]) -> None:
        self._gathered = {
            (task, name)
            for task, parts in functions.items()
            for name, metric in parts.metrics.items()
            if is_gathered(metric)
        }
        self._sums: dict[MetricKey, Tensor] = {}
        self._parts: defaultdict[MetricKey, list[Tensor]] = defaultdict(list)

    def add(self, name: MetricKey, amount: Tensor) -> None:
        """Take a batch's statistics ``[..., Q]`` of a metric into account."""
        found = amount.double()
        if name in self._gathered:
            self._parts[name].append(found)
        else:
            before = self._sums.get(name)
            self._sums[name] = found if before is None else before + found

    def totals(self) -> dict[MetricKey, Tensor]:
        """Task and metric to statistics ``[..., Q]`` of the split."""
        return self._sums | {name: torch.cat(parts, -1) for name, parts in self._parts.items()}


def is_gathered(metric: Metric) -> bool:
    """Whether a metric needs all samples at once."""
    return bool(getattr(metric, "gathered", False))


def counts_of(batch: Batch, functions: Mapping[str, TaskFunctions]) -> Tensor | int:
    """What a batch counts in mean losses: its samples; ``[T]`` if a task counts valid elements.

    To be asked before the losses, which may write into the targets.
    """
    n_batch = batch_size_of(batch.inputs)
    counts = {
        task: of.valid_elements(batch.targets[task]).double()
        for task, of in functions.items()
        if of.valid_elements is not None
    }
    if not counts:
        return n_batch
    samples = torch.full_like(next(iter(counts.values())), n_batch)
    return torch.stack([counts.get(task, samples) for task in functions])


def summed(mean_losses: Tensor, counts: Tensor | int) -> Tensor:
    """Sums ``[...]`` over a batch's elements, in float64, from their means; 0 where it has none.

    Args:
        counts: Elements: one number, or as `mean_losses`.
    """
    amounts = mean_losses.double() * counts
    return amounts if isinstance(counts, int) else torch.where(counts > 0, amounts, 0.0)


def at_hand(counts: Tensor | int, n_tasks: int) -> list[float]:
    """Counts ``[T]`` as numbers."""
    return [counts] * n_tasks if isinstance(counts, int) else counts.tolist()


def values_of(
    split: str,
    mean_losses: Mapping[str, float],
    functions: Mapping[str, TaskFunctions],
    totals: Mapping[MetricKey, Tensor],
) -> list[Value]:
    """``(split, task, metric, value)`` of all tasks with a mean loss.

    Args:
        totals: Task and metric to statistics ``[Q]``.

    Raises:
        BadMetric: The value of a metric is no number.
    """
    values: list[Value] = [(split, task, "loss", loss) for task, loss in mean_losses.items()]
    values += [
        (split, task, name, metric_value(task, name, metric, totals[task, name]))
        for task in mean_losses
        for name, metric in functions[task].metrics.items()
    ]
    return values


def metric_value(task: str, name: str, metric: Metric, total: Tensor) -> float:
    """A metric as a plain float: problems may return a scalar of numpy or torch.

    Args:
        total: Statistics ``[Q]`` of the split, float64.

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


def storable(tested: list[Value], validated: list[Value]) -> list[Value]:
    """Test values with infinity for what is missing or no number: test data must decide nothing.

    A run whose training and validation are finite is a good run, whatever it makes of the test
    data; a database column that refuses NaN holds infinity.
    """
    found = {(task, metric): value for _, task, metric, value in tested if not math.isnan(value)}
    names = dict.fromkeys([*((task, name) for _, task, name, _ in validated + tested)])
    return [("test", *name, found.get(name, math.inf)) for name in names]


def refuse_unjudged(tasks: Iterable[str], validated: list[Value]) -> None:
    """Refuse validation data that says nothing of a task.

    Raises:
        TaskMismatch: A task has no values.
    """
    judged = {task for _, task, _, _ in validated}
    if unjudged := [task for task in tasks if task not in judged]:
        raise TaskMismatch(
            "Runs are compared by the validation split, so it needs valid elements of each task. "
            f"Of task {unjudged[0]} it has none: `valid_elements` was 0 in every batch. Move "
            "samples with labels of it there, or leave the task out."
        )


def batch_size_of(inputs: object) -> int:
    """Samples of a batch, from the first tensor of its inputs."""
    leaves = torch.utils._pytree.tree_leaves(inputs)
    return int(leaves[0].shape[0])
