"""Optimisers and learning-rate schedules; rates are a function of the epoch, nothing is carried."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

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
    """An optimiser of the study's kind, in PyTorch's fused kernels."""
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=training.momentum, fused=True)
    kind = torch.optim.Adam if training.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=lr, fused=True)


def slots(training: Training) -> tuple[str, ...]:
    """Names of the tensors that the optimiser keeps for each parameter, of the same shape."""
    if training.optimizer == "sgd":
        return ("momentum_buffer",) if training.momentum else ()
    return ("exp_avg", "exp_avg_sq")


def counts_steps(training: Training) -> bool:
    """Whether the optimiser keeps a number of steps for each parameter."""
    return training.optimizer != "sgd"
