"""Compiles the losses of a session's networks, each kind once, by steps of a trial network.

What is compiled depends on nothing but the problem and the training section, so it is the same in
every worker, whatever it trains first.

Shapes: R rows, T tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Literal

import torch
from torch import Tensor, nn

from trainers.engines import masks, one_epoch
from trainers.engines.compiled.blocks import BLOCK, blocks
from trainers.engines.compiled.functions import Compiled
from trainers.engines.fused.forward import (
    Forward,
    carried_tensors,
    repeated,
    stacked_losses,
    task_functions,
    task_losses,
    tensor_places,
    trained_parameters,
)
from trainers.engines.fused.padding import a_forward, a_network
from trainers.engines.fused.rows import RowLayout, Rows
from trainers.engines.precision import autocast, laid_out
from trainers.engines.session import Session
from trainers.errors import NotCompilable
from trainers.jobs import Training
from trainers.protocol import Batch
from trainers.randomness import Key

_KEY = Key("trial")
_SPREAD = 0.01
_LOOKED_AT = 8  # batches


def compiled_solo(session: Session, tasks: tuple[str, ...], training: Training) -> Compiled:
    """Losses ``[T]`` of a network, its inputs and targets.

    Raises:
        NotCompilable: The network or a loss cannot be compiled.
    """

    def made() -> Compiled:
        batch, functions = _a_batch(session, training), task_functions(session.problem, tasks)

        def losses(network: nn.Module, inputs: Any, targets: Mapping[str, Any]) -> Tensor:
            return task_losses(network(inputs), targets, functions)

        compiled = Compiled(losses, batch, session.device)
        network = laid_out(a_network(session, tasks), session.device, training.channels_last)
        with autocast(session.device, training.precision):
            found = compiled(network, batch.inputs, batch.targets)
        params = [param for param in network.parameters() if param.requires_grad]
        torch.autograd.grad(found.sum(), params, allow_unused=True)
        return compiled

    return _once("solo", session, tasks, training, made)


def compiled_stack(session: Session, tasks: tuple[str, ...], training: Training) -> Compiled:
    """Losses ``[R, T]`` of a network, R = `BLOCK` rows of parameters and buffers, inputs, targets.

    Raises:
        NotCompilable: The network or a loss cannot be compiled, or not so that a run's last bits
            are the same in every row.
    """

    def made() -> Compiled:
        batch, forward = _a_batch(session, training), a_forward(session, tasks, training.precision)
        compiled = Compiled(
            stacked_losses(forward.functions, tensor_places(forward.network)), batch, session.device
        )
        first = _rolled_step(compiled, forward, batch, by=0)
        places = range(1, BLOCK) if session.device.type == "cpu" else ()
        for place in places:
            found = _rolled_step(compiled, forward, batch, by=place)
            if not all(map(torch.equal, found, (value.roll(place, 0) for value in first))):
                raise NotCompilable(
                    "`compile = true` needs steps with the same bits in every row of a stack. "
                    f"Got others when rows were moved by {place}. Drop `compile`, or set "
                    '`engine = "solo"`.'
                )
        return compiled

    return _once("stack", session, tasks, training, made)


def _once(
    engine: Literal["solo", "stack"],
    session: Session,
    tasks: tuple[str, ...],
    training: Training,
    made: Callable[[], Compiled],
) -> Compiled:
    key = engine, tasks, training.batch_size, training.precision
    if key not in session.compiled:
        session.compiled[key] = made()
    return session.compiled[key]


def _a_batch(session: Session, training: Training) -> Batch:
    """A whole batch of training, the same for every run; of all tasks, if one of the first is."""
    functions = task_functions(session.problem, session.problem.card.task_names)
    seen: list[Batch] = []
    for batch in islice(one_epoch.batches(session, training, _KEY, 1), _LOOKED_AT):
        seen.append(batch)
        if masks.present(batch.targets, functions) is None:
            return batch
    return seen[0]


def _rolled_step(compiled: Compiled, forward: Forward, batch: Batch, *, by: int) -> list[Tensor]:
    """Losses, gradients and buffers of different rows that are moved down by some places."""
    params, device = trained_parameters(forward.network), forward.device
    layout = RowLayout.on(device, {name: tuple(param.shape) for name, param in params.items()})
    rows = Rows(layout, n_rows=BLOCK, kept=(), device=device)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, start in repeated(params, BLOCK).items():
            spread = torch.randn(start.shape, generator=generator, dtype=start.dtype) * _SPREAD
            rows.leaves[name].copy_((start + spread.to(device)).roll(by, 0))
    (block,) = blocks(rows, repeated(carried_tensors(forward.network), BLOCK))
    _KEY.seed_global(device)
    losses = forward.compiled_losses(compiled, block.leaves, block.carried, batch)
    gradients = torch.autograd.grad(losses.sum(), list(block.leaves.values()))
    return [losses.detach(), *gradients, *block.carried.values()]
