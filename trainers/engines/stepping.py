"""One run's optimiser as torch has it, and its steps by the kernels of the optimiser's file.

Shapes: T tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from trainers.jobs import Job, Training
from trainers.optimizers import optimizer
from trainers.weightings import Weighting


def build_optimizer(
    network: Iterable[Tensor], weighting: Iterable[Tensor], *, job: Job, training: Training
) -> torch.optim.Optimizer:
    """The run's optimiser, over tensors of any shape ``[...]``.

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
    return optimizer(training.optimizer, training.folder).built(
        groups, training, lr=lr, fused=fused
    )


@torch.no_grad()
def take_step(
    of_run: torch.optim.Optimizer,
    training: Training,
    by_task: Mapping[Tensor, Tensor] | None = None,
) -> None:
    """What ``of_run.step()`` does, by the same kernels; parameters without a gradient stay.

    Torch's own spends as long around the kernels as in them, and imports its compiler first.

    Args:
        by_task: For an optimiser that splits tasks: parameter to gradients ``[T, *shape]``; other
            parameters have one gradient.
    """
    method = optimizer(training.optimizer, training.folder)
    for hook in _global_optimizer_pre_hooks.values():
        hook(of_run, (), {})
    for group in of_run.param_groups:
        params = [param for param in group["params"] if param.grad is not None]
        if not params:
            continue
        grads = [param.grad for param in params]
        if by_task is not None:
            grads = [by_task.get(param, param.grad.unsqueeze(0)) for param in params]
        values = [param if _is_dense(param) else param.contiguous() for param in params]
        states = [
            _kept(of_run, param, grad, training) for param, grad in zip(params, grads, strict=True)
        ]
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
    for hook in _global_optimizer_post_hooks.values():
        hook(of_run, (), {})


def _real(tensors: list[Tensor]) -> list[Tensor]:
    """The same memory; a complex number is two real ones, as torch's own optimisers take it."""
    return [torch.view_as_real(of.resolve_conj()) if of.is_complex() else of for of in tensors]


def _is_dense(tensor: Tensor) -> bool:
    """Whether it fills its memory, over which the kernels go; a part of a larger one does not."""
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    return tensor.is_contiguous() or tensor.numel() == 1 + sum((n - 1) * step for n, step in steps)


def densify(params: Iterable[Tensor]) -> None:
    """Let gradients ``[...]`` that name some rows only stand for all, as the kernels take them."""
    for param in params:
        if param.grad is not None and param.grad.layout != torch.strided:
            param.grad = param.grad.to_dense()


def gradients_apart(
    terms: Sequence[Tensor], params: Sequence[Tensor]
) -> Iterator[tuple[Tensor | None, ...]]:
    """Gradients of each term ``[]`` of one graph by all parameters; None of what it does not reach.

    The graph goes with the last term.
    """
    for place, term in enumerate(terms, start=1):
        yield torch.autograd.grad(term, params, retain_graph=place < len(terms), allow_unused=True)


def has_step_hooks() -> bool:
    """Whether something is to be called around the steps of all optimisers."""
    return bool(_global_optimizer_pre_hooks or _global_optimizer_post_hooks)


def _kept(
    of_run: torch.optim.Optimizer, param: Tensor, gradient: Tensor, training: Training
) -> dict[str, Tensor]:
    """What the optimiser keeps of a parameter; it begins at 0."""
    state: dict[str, Tensor] = of_run.state[param]
    if not state:
        method = optimizer(training.optimizer, training.folder)
        if method.counts_steps:
            state["step"] = torch.zeros((), dtype=torch.float32, device=param.device)
        for kept in method.kept(training):
            like = gradient if kept.per_task else param
            state[kept.name] = torch.zeros_like(like, dtype=kept.dtype)
    return state


def restore(of_run: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Take over what was saved, each tensor in its own type and laid out as its parameter is.

    The kernels go by memory, and torch would give all tensors the parameter's type. Decay stays the
    run's own: what was saved may be another one's, from which it goes on.
    """
    decays = [group.get("weight_decay") for group in of_run.param_groups]
    of_run.load_state_dict(saved)
    for group, decay in zip(of_run.param_groups, decays, strict=True):
        if decay is not None:
            group["weight_decay"] = decay
    params = [param for group in of_run.param_groups for param in group["params"]]
    for place, kept in saved["state"].items():
        param, state = params[place], of_run.state[params[place]]
        for name, value in kept.items():
            like = param if value.shape == param.shape else value
            state[name] = torch.empty_like(like, dtype=value.dtype, device=param.device)
            state[name].copy_(value)


def grad_evals(method: Weighting | None, training: Training, n_tasks: int) -> int:
    """Gradients through the trunk in a step, for the weighting or for the optimiser.

    Args:
        method: None: one that weighs losses.
    """
    of_method = 1 if method is None else method.grad_evals(n_tasks)
    splits = optimizer(training.optimizer, training.folder).splits_tasks(training)
    return max(of_method, n_tasks) if splits else of_method
