"""A run in plain PyTorch, without an engine: what the solo engine is measured by.

Only what is random has our addresses.

Shapes: T tasks.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch
from torch import Tensor

from trainers.engines import one_epoch
from trainers.engines.fused.forward import task_functions
from trainers.engines.loss_scale import LossScale
from trainers.engines.masks import no_loss
from trainers.engines.precision import autocast
from trainers.engines.session import Session
from trainers.evaluation import counts_of
from trainers.jobs import Job, Training
from trainers.network import MultiTaskNetwork, build_network
from trainers.optimizers import light
from trainers.protocol import Batch, TaskFunctions
from trainers.randomness import Key

_take_step = torch.no_grad()(inspect.unwrap(torch.optim.SGD.step))
"""PyTorch's own, without its wrapper, which imports the compiler: most of a check's time."""


def plain_epochs(session: Session, job: Job, training: Training) -> list[dict[str, Any]]:
    """Each epoch's losses and tensors by name, of equal weighting under SGD."""
    key = Key("0")
    network = build_network(session.problem, job.tasks, key / "init").to(session.device)
    functions = task_functions(session.problem, job.tasks)
    params = [param for param in network.parameters() if param.requires_grad]
    sgd = light(torch.optim.SGD)
    optimizer = sgd(params, lr=job.lr, momentum=training.momentum) if params else None
    scale, found = LossScale(training.precision), []
    for epoch in range(1, training.epochs + 1):
        network.train()
        batches = [*one_epoch.batches(session, training, key, epoch, job.tasks)]
        sums = torch.zeros(len(job.tasks), device=session.device)
        n_batches = torch.zeros_like(sums)
        for batch in batches:
            losses, counts = _losses(network, functions, batch, session, training)
            sums += losses.detach()
            n_batches += counts > 0
            if optimizer is not None:
                optimizer.zero_grad()
                scale.scaled(losses.sum()).backward()  # type: ignore[no-untyped-call]
                if not scale.take_out([param.grad for param in params if param.grad is not None]):
                    continue
                if training.clip_norm is not None:
                    torch.nn.utils.clip_grad_norm_(network.parameters(), training.clip_norm)
                _take_step(optimizer)
        network.eval()
        judged = _judged(network, functions, session, training)
        names = [f"the train loss of task {task}" for task in job.tasks]
        names += [f"the validation loss of task {task}" for task in job.tasks]
        found_losses = zip(names, [*(sums / n_batches).tolist(), *judged], strict=True)
        values = {name: loss for name, loss in found_losses if not math.isnan(loss)}
        state = {f"network.{name}": of.clone() for name, of in network.state_dict().items()}
        found.append({**values, **state})
    return found


def _losses(
    network: MultiTaskNetwork,
    functions: dict[str, TaskFunctions],
    batch: Batch,
    session: Session,
    training: Training,
) -> tuple[Tensor, Tensor]:
    """Losses ``[T]``, and what is counted of each."""
    counts = torch.as_tensor(counts_of(batch, functions)).expand(len(functions))
    with autocast(session.device, training.precision):
        outputs = network(batch.inputs)
        of_tasks = [
            of.loss(outputs[task], batch.targets[task]) if count else no_loss(outputs[task])
            for (task, of), count in zip(functions.items(), counts.tolist(), strict=True)
        ]
    return torch.stack(of_tasks), counts.to(session.device)


@torch.no_grad()
def _judged(
    network: MultiTaskNetwork,
    functions: dict[str, TaskFunctions],
    session: Session,
    training: Training,
) -> list[float]:
    total, n_elements = torch.zeros(2, len(functions), device=session.device)
    source, size = session.sources["validation"], training.eval_batch_size
    for batch in source.batches(None, size, Key("evaluation")):
        losses, counts = _losses(network, functions, batch, session, training)
        total += losses * counts
        n_elements += counts
    return [float(value) for value in total / n_elements]
