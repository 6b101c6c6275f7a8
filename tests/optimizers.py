"""Optimisers of somebody else's: entry points name them, see `tests.contract.test_per_task`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from trainers.jobs import Training
from trainers.optimizers import Kept, Number, Optimizer, decayed


class TaskAdam(Optimizer):
    """Adam with moments of each task's own gradient, whose steps are added up.

    As AdaTask has it (Yang et al., AAAI 2023, arXiv 2211.15055).
    """

    counts_steps = True
    settings: ClassVar[Mapping[str, Any]] = {"betas": (0.9, 0.999), "eps": 1e-8}

    def kept(self, training: Training) -> tuple[Kept, ...]:
        return (
            Kept(name="exp_avg", per_task=True),
            Kept(name="exp_avg_sq", per_task=True),
            Kept(name="path", dtype=torch.float64),
        )

    def update(
        self,
        value: Tensor,
        gradient: Tensor,
        kept: Mapping[str, Tensor],
        *,
        settings: Mapping[str, Any],
        n_steps: float | Tensor,
        lr: Number,
        weight_decay: Number | None,
    ) -> None:
        first, second = settings["betas"]
        kept["exp_avg"].mul_(first).add_(gradient * (1 - first))
        kept["exp_avg_sq"].mul_(second).add_(gradient.square() * (1 - second))
        size = (kept["exp_avg_sq"] / (1 - second**n_steps)).sqrt() + settings["eps"]
        step = (kept["exp_avg"] / (1 - first**n_steps) / size).sum(0)
        change = decayed(step, value, weight_decay) * lr
        kept["path"].add_(change.abs())
        value.sub_(change)


class TaskMomentum(Optimizer):
    """SGD with a momentum for each task: what it does is linear, so the same as with one."""

    settings: ClassVar[Mapping[str, Any]] = {"momentum": 0.9}

    def kept(self, training: Training) -> tuple[Kept, ...]:
        return (Kept(name="momentum_buffer", per_task=True),)

    def update(
        self,
        value: Tensor,
        gradient: Tensor,
        kept: Mapping[str, Tensor],
        *,
        settings: Mapping[str, Any],
        lr: Number,
        **_: object,
    ) -> None:
        value.sub_(kept["momentum_buffer"].mul_(settings["momentum"]).add_(gradient).sum(0) * lr)
