"""One training step of a network, and one evaluation, compared: alone and in a stack."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trainers.engines import masks
from trainers.engines.fused.forward import (
    Forward,
    carried_tensors,
    repeated,
    task_functions,
    task_losses,
    trained_parameters,
)
from trainers.engines.fused.padding import Step
from trainers.engines.fused.stack_evaluation import StackEvaluation, row_of
from trainers.engines.precision import autocast
from trainers.engines.session import Session
from trainers.jobs import Precision
from trainers.network import MultiTaskNetwork
from trainers.protocol import Batch
from trainers.randomness import Key
from trainers.reading import owned

_TOLERANCE = 1e-4
"""By which a metric's statistics may differ, of their size and beside it."""


def alone_step(
    session: Session,
    network: MultiTaskNetwork,
    tasks: tuple[str, ...],
    batch: Batch,
    precision: Precision,
) -> Step:
    """The step as the solo engine would do it, with the network as the user wrote it."""
    functions = task_functions(session.problem, tasks)
    batch = owned(batch)
    there = masks.present(batch.targets, functions)
    Key("trial").seed_global(session.device)
    with autocast(session.device, precision):
        losses = task_losses(network(batch.inputs), batch.targets, functions, there)
    params = trained_parameters(network)
    gradients: tuple[Tensor | None, ...] = ()
    if params:
        gradients = torch.autograd.grad(losses.sum(), list(params.values()), allow_unused=True)
    return Step(
        losses=losses.detach(),
        gradients=dict(zip(params, gradients, strict=True)),
        carried=carried_tensors(network),
    )


def unused(step: Step) -> str:
    """A parameter that no loss depends on, as the end of a sentence; or empty."""
    names = [name for name, gradient in step.gradients.items() if gradient is None]
    return f"has a parameter that no loss depends on ({names[0]})" if names else ""


def alike(stacked: Step, alone: Step, tolerance: float) -> bool:
    """Whether every row of a stack's step is the lone one's, up to rounding."""
    if stacked.carried.keys() != alone.carried.keys():
        return False
    if stacked.gradients.keys() != alone.gradients.keys():
        return False
    pairs = [(stacked.losses, alone.losses)]
    pairs += [(stacked.carried[name], value) for name, value in alone.carried.items()]
    near = all(_near(rows, value, tolerance * _size(value)) for rows, value in pairs)
    gradients = [(stacked.gradients[name], value) for name, value in alone.gradients.items()]
    # Against the largest of all: those of a layer before a normalisation are nearly 0.
    largest = max((_size(value) for _, value in gradients if value is not None), default=0.0)
    return near and all(_near(rows, value, tolerance * largest) for rows, value in gradients)


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


def _size(value: Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0


def _near(rows: Tensor | None, value: Tensor | None, most: float) -> bool:
    if rows is None or value is None:
        return rows is value
    return bool(((rows - value).abs() <= most).all())
