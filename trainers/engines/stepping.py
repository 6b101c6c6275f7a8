"""One run's optimiser as torch has it, and its steps by the kernels of the optimiser's file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from trainers.jobs import Job, Training
from trainers.optimizers import optimizer


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
    return optimizer(training.optimizer).built(groups, training, lr=lr, fused=fused)


@torch.no_grad()
def take_step(of_run: torch.optim.Optimizer, training: Training) -> None:
    """What ``optimizer.step()`` does, by the same kernels; parameters without a gradient stay.

    Torch's own spends as long around the kernels as in them, and imports its compiler first; it is
    called where somebody has registered hooks of all optimisers.
    """
    method = optimizer(training.optimizer)
    if has_step_hooks():
        for param in (param for group in of_run.param_groups for param in group["params"]):
            if param.grad is not None:
                _kept(of_run, param, training)
        of_run.step()
        return
    for group in of_run.param_groups:
        params = [param for param in group["params"] if param.grad is not None]
        if not params:
            continue
        grads = [param.grad for param in params]
        values = [param if _is_dense(param) else param.contiguous() for param in params]
        states = [_kept(of_run, param, training) for param in params]
        steps = [state["step"] for state in states] if method.counts_steps else []
        if steps:
            torch._foreach_add_(steps, 1)
        method.update_all(
            _real(values),
            _real(grads),
            {
                kept.name: _real([state[kept.name] for state in states])
                for kept in method.kept(training)
            },
            settings=group,
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


def _kept(of_run: torch.optim.Optimizer, param: Tensor, training: Training) -> dict[str, Tensor]:
    """What the optimiser keeps of a parameter; it begins at 0."""
    state: dict[str, Tensor] = of_run.state[param]
    if not state:
        method = optimizer(training.optimizer)
        if method.counts_steps:
            state["step"] = torch.zeros((), dtype=torch.float32, device=param.device)
        state.update({kept.name: torch.zeros_like(param) for kept in method.kept(training)})
    return state


def lay_out(of_run: torch.optim.Optimizer) -> None:
    """Lay what was loaded for a parameter out as the parameter is: the kernels go by memory."""
    for param, state in of_run.state.items():
        for name, kept in state.items():
            if kept.shape == param.shape and kept.stride() != param.stride():
                state[name] = torch.empty_like(param).copy_(kept)
