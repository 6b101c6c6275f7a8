"""SGD, with momentum where a study asks for it.

Step: m = momentum m + g, value = value - lr m; g is the gradient plus decay times value. Without
dampening: the first step is as long as without momentum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from trainers.jobs import Training
from trainers.optimizers import Kept, Number, Optimizer, decayed, light


class SGD(Optimizer):
    """Down the gradient, or a running sum of past ones."""

    def kept(self, training: Training) -> tuple[Kept, ...]:
        """A running sum, if there is momentum."""
        return (Kept(name="momentum_buffer"),) if training.momentum else ()

    def built(
        self, groups: Sequence[dict[str, Any]], training: Training, *, lr: float, fused: bool
    ) -> torch.optim.Optimizer:
        """Torch's own."""
        return light(torch.optim.SGD)(groups, lr=lr, momentum=training.momentum, fused=fused)

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
        value.sub_(change * lr)

    def update_all(
        self,
        values: list[Tensor],
        gradients: list[Tensor],
        kept: Mapping[str, list[Tensor]],
        *,
        settings: Mapping[str, Any],
        lr: float,
        weight_decay: float,
        **_: object,
    ) -> None:
        """Change values, each ``[*shape]``, in place by PyTorch's fused kernel."""
        torch._fused_sgd_(
            values,
            gradients,
            kept.get("momentum_buffer", []),
            weight_decay=weight_decay,
            momentum=settings["momentum"],
            lr=lr,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,  # what is kept begins at 0, so the first step is as any other
        )
