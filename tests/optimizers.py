"""Optimisers of somebody else's: entry points name them, see `tests.contract.test_per_task`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from trainers.jobs import Training
from trainers.optimizers import Kept, Number, Optimizer
from trainers.optimizers.adatask import AdaTask


class TaskAdam(AdaTask):
    """AdaTask, which keeps the way that each number has gone, in a type of its own, too."""

    def kept(self, training: Training, /) -> tuple[Kept, ...]:
        return *super().kept(training), Kept(name="path", dtype=torch.float64)

    def update(
        self, value: Tensor, gradient: Tensor, kept: Mapping[str, Tensor], **of_step: Any
    ) -> None:
        before = value.clone()
        super().update(value, gradient, kept, **of_step)
        kept["path"].add_((value - before).abs())


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
