"""AdamW: Adam whose decay is not divided by the size of the gradients.

Each step begins with value = value (1 - lr decay). Loshchilov and Hutter, Decoupled Weight Decay
Regularization, ICLR 2019, arXiv 1711.05101.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch

from trainers.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled decay."""

    decoupled = True
    own = torch.optim.AdamW
    kernel: ClassVar[Callable[..., None]] = staticmethod(torch._fused_adamw_)
