"""AdamW: Adam whose decay is not divided by the size of the gradients.

Each step begins with value = value (1 - lr decay). Loshchilov and Hutter, Decoupled Weight Decay
Regularization, ICLR 2019, arXiv 1711.05101.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from trainers.jobs import Training
from trainers.optimizers import light
from trainers.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled decay."""

    decoupled = True
    kernel: ClassVar[Callable[..., None]] = staticmethod(torch._fused_adamw_)

    def built(
        self, groups: Sequence[dict[str, Any]], _training: Training, /, *, lr: float, fused: bool
    ) -> torch.optim.Optimizer:
        """Torch's own."""
        return light(torch.optim.AdamW)(groups, lr=lr, fused=fused)
