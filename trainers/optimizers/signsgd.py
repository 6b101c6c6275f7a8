"""signSGD: steps of one length for all numbers, down the sign of a running sum of gradients.

Step: m = momentum m + g, value = value - lr sign(m), where the sign of 0 is 0; g is the gradient
plus decay times value. Bernstein et al., signSGD: Compressed Optimisation for Non-Convex Problems,
ICML 2018, arXiv 1802.04434, whose Signum weighs g by 1 - momentum: of one sign with this sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from trainers.jobs import Training
from trainers.optimizers import Kept, Number, Optimizer, decayed, light


class SignSGD(Optimizer):
    """Down the sign of the gradient, or of a running sum of past ones."""

    def kept(self, training: Training) -> tuple[Kept, ...]:
        """A running sum, if there is momentum."""
        return (Kept(name="momentum_buffer"),) if training.momentum else ()

    def built(
        self, groups: Sequence[dict[str, Any]], training: Training, *, lr: float, **_: object
    ) -> torch.optim.Optimizer:
        """What holds settings and state; torch has no class of it."""
        defaults = {"lr": lr, "weight_decay": 0.0, "momentum": training.momentum}
        return light(torch.optim.Optimizer)(groups, defaults)

    def update(
        self,
        value: Tensor,
        gradient: Tensor,
        kept: Mapping[str, Tensor],
        *,
        settings: Mapping[str, Any],
        lr: Number,
        weight_decay: Number | None,
        **_: object,
    ) -> None:
        """Change one value, ``[*shape]`` or ``[R, W]``, in place."""
        change = decayed(gradient, value, weight_decay)
        if kept:
            change = kept["momentum_buffer"].mul_(settings["momentum"]).add_(change)
        value.sub_(change.sign() * lr)
