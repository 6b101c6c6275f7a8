"""Adam: steps of about the same length for all numbers, whatever the size of their gradients.

Step n: a = b1 a + (1 - b1) g, s = b2 s + (1 - b2) g^2, value = value - lr a' / (sqrt(s') + eps)
with a' = a / (1 - b1^n), s' = s / (1 - b2^n); g is the gradient plus decay times value. Kingma and
Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, arXiv 1412.6980.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from trainers.jobs import Training
from trainers.optimizers import Kept, Number, Optimizer, decayed, light


class Adam(Optimizer):
    """Down a running mean of gradients, divided by the root of that of their squares.

    Attributes:
        decoupled: Values are decayed beside the step, not by their gradients.
        own: Torch's, which holds settings and state.
        kernel: Torch's, for many tensors.
    """

    counts_steps = True
    decoupled: ClassVar[bool] = False
    own: ClassVar[type[torch.optim.Adam]] = torch.optim.Adam
    kernel: ClassVar[Callable[..., None]] = staticmethod(torch._fused_adam_)

    def kept(self, _training: Training, /) -> tuple[Kept, ...]:
        """Running means of gradients and of their squares."""
        return Kept(name="exp_avg"), Kept(name="exp_avg_sq")

    def built(
        self, groups: Sequence[dict[str, Any]], _training: Training, /, *, lr: float, fused: bool
    ) -> torch.optim.Optimizer:
        """Torch's own."""
        return light(self.own)(groups, lr=lr, fused=fused)

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
        """Change one value, ``[*shape]`` or ``[R, W]``, in place."""
        first, second = settings["betas"]
        if self.decoupled and weight_decay is not None:
            value.mul_(1 - lr * weight_decay)
        else:
            gradient = decayed(gradient, value, weight_decay)
        kept["exp_avg"].lerp_(gradient, 1 - first)
        kept["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = (kept["exp_avg_sq"] / (1 - second**n_steps)).sqrt_().add_(settings["eps"])
        value.sub_((kept["exp_avg"] / size).mul_(lr / (1 - first**n_steps)))

    def update_all(
        self,
        values: list[Tensor],
        gradients: list[Tensor],
        kept: Mapping[str, list[Tensor]],
        *,
        settings: Mapping[str, Any],
        steps: list[Tensor],
        lr: float,
        weight_decay: float,
    ) -> None:
        """Change values, each ``[*shape]``, in place by PyTorch's fused kernel."""
        self.kernel(
            values,
            gradients,
            kept["exp_avg"],
            kept["exp_avg_sq"],
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
