"""Optimisers and learning-rate schedules; rates are a function of the epoch, nothing is carried."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from trainers.jobs import Job, Schedule, Training


def learning_rate(lr: float, schedule: Schedule, *, epoch: int, epochs: int) -> float:
    """Rate of one epoch, counted from 1.

    ``step``: lr * gamma^floor((epoch-1)/step_epochs);
    ``cosine``: lr * (1 + cos(pi (epoch-1)/epochs))/2.
    """
    if schedule.kind == "step":
        return lr * schedule.gamma ** ((epoch - 1) // schedule.step_epochs)
    if schedule.kind == "cosine":
        return lr * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2
    return lr


def build_optimizer(
    network: Iterable[Tensor], weighting: Iterable[Tensor], *, job: Job, training: Training
) -> torch.optim.Optimizer:
    """The run's optimiser.

    A weighting's learned parameters share optimiser and learning rate, but are never decayed:
    decay would pull UW's and IMTL-L's scales to their start value whatever the losses say.
    """
    groups = [{"params": list(network), "weight_decay": job.weight_decay}]
    learned = list(weighting)
    if learned:
        groups.append({"params": learned, "weight_decay": 0.0})
    return optimizer_of(groups, training, lr=job.lr)


def optimizer_of(
    groups: Iterable[dict[str, Any]], training: Training, *, lr: float
) -> torch.optim.Optimizer:
    """An optimiser of the study's kind, in PyTorch's fused kernels where these take all numbers."""
    groups = list(groups)
    fused = not any(param.is_complex() for group in groups for param in group["params"])
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=training.momentum, fused=fused)
    kind = torch.optim.Adam if training.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=lr, fused=fused)


@torch.no_grad()
def take_step(optimizer: torch.optim.Optimizer, training: Training) -> None:
    """What ``optimizer.step()`` does, by the same kernels; parameters without a gradient stay.

    Torch's own spends as long around the kernels as in them, and imports its compiler first; it is
    called where somebody has registered hooks of all optimisers.
    """
    if has_step_hooks():
        for param in (param for group in optimizer.param_groups for param in group["params"]):
            if param.grad is not None:
                _kept(optimizer, param, training)
        optimizer.step()
        return
    for group in optimizer.param_groups:
        params = [param for param in group["params"] if param.grad is not None]
        if not params:
            continue
        grads = [param.grad for param in params]
        values = [param if _is_dense(param) else param.contiguous() for param in params]
        states = [_kept(optimizer, param, training) for param in params]
        kept = [[state[name] for state in states] for name in slots(training)]
        steps = [state["step"] for state in states] if counts_steps(training) else []
        if steps:
            torch._foreach_add_(steps, 1)
        run_kernel(
            training,
            group,
            values=_real(values),
            grads=_real(grads),
            kept=[_real(of_slot) for of_slot in kept],
            steps=steps,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
        )
        for param, value in zip(params, values, strict=True):
            if value is not param:
                param.copy_(value)


def _real(tensors: list[Tensor]) -> list[Tensor]:
    """The same memory; a complex number is two real ones, as torch's own optimisers take it."""
    return [torch.view_as_real(of.resolve_conj()) if of.is_complex() else of for of in tensors]


def _is_dense(tensor: Tensor) -> bool:
    """Whether it fills its memory, over which the kernels go; a part of a larger one does not."""
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    return tensor.is_contiguous() or tensor.numel() == 1 + sum((n - 1) * step for n, step in steps)


def densify(params: Iterable[Tensor]) -> None:
    """Let gradients that name some rows only stand for all rows: the kernels take no others."""
    for param in params:
        if param.grad is not None and param.grad.layout != torch.strided:
            param.grad = param.grad.to_dense()


def has_step_hooks() -> bool:
    """Whether something is to be called around the steps of all optimisers."""
    return bool(_global_optimizer_pre_hooks or _global_optimizer_post_hooks)


def run_kernel(
    training: Training,
    settings: Mapping[str, Any],
    *,
    values: list[Tensor],
    grads: list[Tensor],
    kept: list[list[Tensor]],
    steps: list[Tensor],
    lr: float,
    weight_decay: float,
) -> None:
    """Change values of one rate and decay by PyTorch's fused kernel.

    Args:
        settings: What a run cannot change, named as torch's optimisers do.
        kept: For each of `slots`, what the optimiser keeps of the values.
        steps: Numbers of steps, this one included; none for SGD.
    """
    if training.optimizer == "sgd":
        torch._fused_sgd_(
            values,
            grads,
            kept[0] if kept else [],
            weight_decay=weight_decay,
            momentum=training.momentum,
            lr=lr,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,  # what is kept begins at 0, so the first step is as any other
        )
        return
    kernel = torch._fused_adam_ if training.optimizer == "adam" else torch._fused_adamw_
    averages, squares = kept
    kernel(
        values,
        grads,
        averages,
        squares,
        [],
        steps,
        lr=lr,
        beta1=settings["betas"][0],
        beta2=settings["betas"][1],
        weight_decay=weight_decay,
        eps=settings["eps"],
        amsgrad=False,
        maximize=False,
    )


def _kept(optimizer: torch.optim.Optimizer, param: Tensor, training: Training) -> dict[str, Tensor]:
    """What the optimiser keeps of a parameter; it begins at 0."""
    state: dict[str, Tensor] = optimizer.state[param]
    if not state:
        if counts_steps(training):
            state["step"] = torch.zeros((), dtype=torch.float32, device=param.device)
        state.update({name: torch.zeros_like(param) for name in slots(training)})
    return state


def lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Lay what was loaded for a parameter out as the parameter is: the kernels go by memory."""
    for param, state in optimizer.state.items():
        for name, kept in state.items():
            if kept.shape == param.shape and kept.stride() != param.stride():
                state[name] = torch.empty_like(param).copy_(kept)


def slots(training: Training) -> tuple[str, ...]:
    """Names of the tensors that the optimiser keeps for each parameter, of the same shape."""
    if training.optimizer == "sgd":
        return ("momentum_buffer",) if training.momentum else ()
    return ("exp_avg", "exp_avg_sq")


def counts_steps(training: Training) -> bool:
    """Whether the optimiser keeps a number of steps for each parameter."""
    return training.optimizer != "sgd"
