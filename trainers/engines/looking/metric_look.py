"""Whether a problem's metrics come out of a stack's evaluation as they do run by run.

Shapes: R rows, Q statistics.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trainers.engines.fused.forward import Forward, carried_tensors, repeated, trained_parameters
from trainers.engines.fused.stack_evaluation import StackEvaluation, row_of
from trainers.protocol import Batch
from trainers.reading import owned

_TOLERANCE = 1e-4


@torch.no_grad()
def odd_metric(forward: Forward, batch: Batch) -> str:
    """What is odd about a metric, as the end of a sentence that the network begins; or empty."""
    forward.network.eval()
    params, buffers = (
        repeated(of(forward.network), 2) for of in (trained_parameters, carried_tensors)
    )
    outputs = forward.outputs(params, buffers, owned(batch).inputs)
    alone: dict[tuple[str, str], Tensor] = {}
    for task, parts in forward.functions.items():
        pair = _copies(row_of(outputs[task], 1), batch, task)
        parts.loss(*pair)  # before the metrics, as in an evaluation: it may change both in place
        alone.update({(task, name): of.statistics(*pair) for name, of in parts.metrics.items()})
    _, statistics = StackEvaluation(forward, n_members=2).measured(outputs, owned(batch))
    forward.network.train()
    for (task, name), expected in alone.items():
        found = statistics[task, name][1]
        if not torch.allclose(
            found.double(), expected.double(), _TOLERANCE, _TOLERANCE, equal_nan=True
        ):
            return f"has another {name} of task {task} in a stack than alone"
    return ""


def _copies(output: Any, batch: Batch, task: str) -> tuple[Any, Any]:
    """Copies of an output and its target."""
    copy = owned(Batch(output, {task: batch.targets[task]}))
    return copy.inputs, copy.targets[task]
