"""Losses and metrics of all runs of a stack in one pass over a split.

Shapes: R rows, B batch, T tasks, Q statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils._pytree import tree_map

from trainers.engines.fused.forward import Forward, task_losses
from trainers.evaluation import (
    MetricKey,
    Statistics,
    Value,
    at_hand,
    counts_of,
    summed,
    values_of,
)
from trainers.protocol import Batch, Metric, Source
from trainers.randomness import Key
from trainers.reading import owned


class StackEvaluation:
    """Evaluates the first `n_members` rows of a stack; the others are padding rows."""

    def __init__(self, forward: Forward, *, n_members: int) -> None:
        self._forward, self._n_members = forward, n_members
        self._stackable: dict[MetricKey, Metric] | None = None
        self._one_by_one: dict[MetricKey, Metric] = {}

    @torch.no_grad()
    def values(
        self,
        params: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        source: Source,
        *,
        split: str,
        batch_size: int,
    ) -> list[list[Value]]:
        """``(split, task, metric, value)`` of each run, in the order of the solo engine.

        Args:
            params: Name to ``[R, *shape]``.
            buffers: Name to ``[R, *shape]``.

        Raises:
            BadMetric: The value of a metric is no number.
        """
        losses = torch.zeros((), dtype=torch.float64, device=self._forward.device)
        statistics = Statistics(self._forward.functions)
        counts: Tensor | int = 0
        self._forward.network.eval()
        for batch in source.batches(None, batch_size, Key("evaluation")):
            of_batch = counts_of(batch, self._forward.functions)
            counts = counts + of_batch
            with self._forward.cast():
                outputs = self._forward.outputs(params, buffers, batch.inputs)
                found, of_metrics = self.measured(outputs, batch)
            losses = losses + summed(found, of_batch)
            for name, statistic in of_metrics.items():
                statistics.add(name, statistic)
        means = (losses / counts).tolist()
        n_elements = at_hand(counts, len(self._forward.functions))
        totals = {name: total.cpu() for name, total in statistics.totals().items()}
        found_of = []
        for row in range(self._n_members):
            of_row = zip(self._forward.functions, means[row], n_elements, strict=True)
            losses_of_row = {task: loss for task, loss, count in of_row if count}
            of_metrics = {name: total[row] for name, total in totals.items()}
            found_of.append(values_of(split, losses_of_row, self._forward.functions, of_metrics))
        return found_of

    def measured(
        self, outputs: Mapping[str, Any], batch: Batch
    ) -> tuple[Tensor, dict[MetricKey, Tensor]]:
        """Losses ``[R, T]``, and statistics ``[R, Q]`` by metric."""
        if self._stackable is None:
            self._stackable = self._sorted_out(outputs, batch)
        metrics = self._stackable

        def of_one(outputs: Mapping[str, Any]) -> dict[MetricKey, Tensor]:
            return {
                name: metric.statistics(outputs[name[0]], batch.targets[name[0]])
                for name, metric in metrics.items()
            }

        losses = task_losses(outputs, batch.targets, self._forward.functions, stacked=True)
        statistics = vmap(of_one)(outputs)
        for name, metric in self._one_by_one.items():
            statistics[name] = torch.stack(
                [
                    metric.statistics(row_of(outputs[name[0]], row), batch.targets[name[0]])
                    for row in range(self._n_members)
                ]
            )
        return losses, statistics

    def _sorted_out(self, outputs: Mapping[str, Any], batch: Batch) -> dict[MetricKey, Metric]:
        """The metrics that survive `vmap`; the others are remembered."""
        stackable: dict[MetricKey, Metric] = {}
        for task, parts in self._forward.functions.items():
            for name, metric in parts.metrics.items():
                try:
                    # on copies: what it changes in place would be changed twice
                    tried = owned(Batch(outputs[task], {task: batch.targets[task]}))
                    vmap(metric.statistics, in_dims=(0, None))(tried.inputs, tried.targets[task])
                except BaseException:  # if it is the metric's own fault, it raises again alone
                    self._one_by_one[task, name] = metric
                else:
                    stackable[task, name] = metric
        return stackable


def row_of(values: Any, row: int) -> Any:
    """One row of a nest of stacked tensors."""
    return tree_map(lambda value: value[row], values)
