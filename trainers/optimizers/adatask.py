"""AdaTask: an Adam for each task on every parameter, whose steps are added up.

Step n, with g_t the gradient of task t's weighted loss: a_t = b1 a_t + (1 - b1) g_t,
s_t = b2 s_t + (1 - b2) g_t^2, value = value - lr sum_t a_t' / (sqrt(s_t') + eps), where a_t' and
s_t' are corrected as by `adam`. A constant factor on a task's loss cancels, in shared parameters,
too. Yang et al., AdaTask: A Task-Aware Adaptive Learning Rate Approach to Multi-Task Learning, AAAI
2023, arXiv 2211.15055. A head has the steps of its own Adam: by other tasks its gradients are 0,
and so are their steps. The paper has no decay; here values are decayed as by `adamw`: among the
gradients, decay would be weighed against the scale of each task's loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from trainers.optimizers import Kept, Number, Optimizer

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.jobs import Training


class AdaTask(Optimizer):
    """Down each task's running mean of gradients, divided by the root of that of their squares."""

    counts_steps = True
    settings: ClassVar[Mapping[str, Any]] = {"betas": (0.9, 0.999), "eps": 1e-8}

    def kept(self, _training: Training, /) -> tuple[Kept, ...]:
        """Running means of each task's gradients and of their squares."""
        return Kept(name="exp_avg", per_task=True), Kept(name="exp_avg_sq", per_task=True)

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
        """Change one value, ``[*shape]`` or ``[R, W]``, in place, by gradients ``[T, ...]``."""
        first, second = settings["betas"]
        if weight_decay is not None:
            value.mul_(1 - lr * weight_decay)
        kept["exp_avg"].lerp_(gradient, 1 - first)
        kept["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = (kept["exp_avg_sq"] / (1 - second**n_steps)).sqrt_().add_(settings["eps"])
        value.sub_((kept["exp_avg"] / size).sum(0).mul_(lr / (1 - first**n_steps)))
