"""Whether a problem's runs can be trained as one stack."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainers.engines._forward import (
    Forward,
    carried_tensors,
    task_losses,
    trained_parameters,
)
from trainers.engines._ghosts import (
    Step,
    a_forward,
    a_network,
    placed_operations,
    samples,
    stacked_step,
)
from trainers.engines.session import Session
from trainers.events import NetworkFacts
from trainers.failures import OUT_OF_MEMORY, failure_class, told
from trainers.gpu import end_if_broken
from trainers.jobs import Precision
from trainers.protocol import Batch
from trainers.randomness import Key

TOLERANCES: dict[Precision, float] = {"float32": 1e-4, "tf32": 0.01, "bfloat16": 0.05}
"""Relative difference of losses and gradients, alone and in a stack; TF32 has 11 bits, bfloat16 8.
"""


def network_facts(session: Session, precision: Precision = "float32") -> NetworkFacts:
    """What decides the engine of a problem's runs.

    The network of all tasks and those of each task are tried on two samples, in a stack and alone.
    """
    card = session.problem.card
    alone = [(task,) for task in card.task_names]
    forwards = [
        a_forward(session, tasks, precision) for tasks in dict.fromkeys([card.task_names, *alone])
    ]
    batch = samples(session, 2)
    tolerance = TOLERANCES[precision]
    obstacles = (_obstacle(forward, batch, session, tolerance) for forward in forwards)
    return NetworkFacts(
        convolutional=card.convolutional or any(map(_convolves, forwards)),
        obstacle=next(filter(None, obstacles), ""),
        streamed=session.streamed,
    )


def _convolves(forward: Forward) -> bool:
    return any(isinstance(module, nn.modules.conv._ConvNd) for module in forward.network.modules())


def _obstacle(forward: Forward, batch: Batch, session: Session, tolerance: float) -> str:
    """Why a network cannot be stacked, as the end of a sentence that it begins; or empty."""
    params = trained_parameters(forward.network)
    if len({param.dtype for param in params.values()} | {torch.get_default_dtype()}) > 1:
        return "has parameters that are not of the default type, so that they fit in no stack"
    try:
        stacked, alone = _stacked(forward, batch), _alone(session, forward, batch)
    except BaseException as error:  # a user's network or loss may do anything
        end_if_broken(session.device)
        if failure_class(error) == OUT_OF_MEMORY:
            raise
        return f"does not survive `torch.func.vmap` ({told(error).splitlines()[0]})"
    unused = [name for name, gradient in alone.gradients.items() if gradient is None]
    if unused:
        return f"has a parameter that no loss depends on ({unused[0]})"
    if not _alike(stacked, alone, tolerance):
        return "has other losses, gradients or buffers in a stack than alone"
    if session.device.type == "cpu" and torch.get_num_threads() > 1:
        placed = placed_operations(forward, batch, batch)
        if placed:
            return (
                f"has an operation ({min(placed)}) whose last bits depend on where a thread's "
                "share begins; with one thread it is fused"
            )
    return ""


def _stacked(forward: Forward, batch: Batch) -> Step:
    Key("trial").seed_global(forward.device)
    return stacked_step(forward, batch, n_rows=2)


def _alone(session: Session, forward: Forward, batch: Batch) -> Step:
    """The step as the solo engine would do it, with the network as the user wrote it."""
    network = a_network(session, tuple(forward.functions))
    Key("trial").seed_global(session.device)
    with forward.cast():
        losses = task_losses(network(batch.inputs), batch.targets, forward.functions)
    params = trained_parameters(network)
    gradients = torch.autograd.grad(losses.sum(), list(params.values()), allow_unused=True)
    return Step(
        losses=losses.detach(),
        gradients=dict(zip(params, gradients, strict=True)),
        carried=carried_tensors(network),
    )


def _alike(stacked: Step, alone: Step, tolerance: float) -> bool:
    """Whether every row of a stack's step is the lone one's, up to rounding."""
    pairs = [(stacked.losses, alone.losses)]
    pairs += [(stacked.carried[name], value) for name, value in alone.carried.items()]
    near = all(_near(rows, value, tolerance * _size(value)) for rows, value in pairs)
    gradients = [(stacked.gradients[name], value) for name, value in alone.gradients.items()]
    # Against the largest of all: those of a layer before a normalisation are nearly 0.
    largest = max((_size(value) for _, value in gradients if value is not None), default=0.0)
    return near and all(_near(rows, value, tolerance * largest) for rows, value in gradients)


def _size(value: Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0


def _near(rows: Tensor | None, value: Tensor | None, most: float) -> bool:
    if rows is None or value is None:
        return rows is value
    return bool(((rows - value).abs() <= most).all())
