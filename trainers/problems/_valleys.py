"""The point of `two-valleys`, its two losses, and what it is judged by.

With c1 = max(tanh(y/2), 0), c2 = max(tanh(-y/2), 0) and r = 0.1 (y + 8)^2:
L1 = c1 (6 + ln max(|0.5 (-x - 7) + tanh y|, 5e-6)) + c2 (((x - 7)^2 + r) / 10 - 20),
L2 = c1 (6 + ln max(|0.5 (-x + 3) - tanh y + 2|, 5e-6)) + c2 (((x + 7)^2 + r) / 10 - 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from trainers.problems._laboratory import MeanOfColumn
from trainers.problems._source import TensorSource
from trainers.protocol import TaskFunctions

STARTS: Final = ((-8.5, 7.5), (-8.5, -5.0), (9.0, 9.0))
MINIMUM: Final = -15.091638
"""Of the mean of both losses, at (0, -8.36)."""
NEAR: Final = 0.1
"""How far above the minimum the mean loss may be."""
_SMALLEST = 5e-6


def valleys(point: Tensor) -> Tensor:
    """Both losses ``[..., 2]`` of points ``[..., 2]``, their x and y."""
    x, y = point[..., 0], point[..., 1]
    bent, high, low = y.tanh(), (y / 2).tanh().clamp(min=0), (-y / 2).tanh().clamp(min=0)
    left, right = 0.5 * (-x - 7) + bent, 0.5 * (-x + 3) - bent + 2
    off = torch.stack([left, right], dim=-1).abs().clamp(min=_SMALLEST)
    wide = torch.stack([x - 7, x + 7], dim=-1).square() + 0.1 * (y + 8).square().unsqueeze(-1)
    return high.unsqueeze(-1) * (6 + off.log()) + low.unsqueeze(-1) * (wide / 10 - 20)


class Point(nn.Module):
    """The trunk: x and y, and how many steps they took.

    A step is a change of place: methods that look at a batch again have it count once.

    Args:
        limit: What stands for not having come near.
    """

    seen: Tensor
    taken: Tensor
    needed: Tensor

    def __init__(self, limit: int) -> None:
        super().__init__()
        start = STARTS[int(torch.randint(len(STARTS), ()))]
        self.place = nn.Parameter(torch.tensor(start))
        self.register_buffer("seen", torch.tensor(start))
        self.register_buffer("taken", torch.zeros(()))
        self.register_buffer("needed", torch.full((), float(limit)))

    def forward(self, inputs: Tensor) -> Tensor:
        """The point and its steps until it came near, ``[B, 3]``, of zeros ``[B, 2]``."""
        with torch.no_grad():
            taken = self.taken + (self.place != self.seen).any()
            near = valleys(self.place).mean() <= MINIMUM + NEAR
            needed = torch.where(near, torch.minimum(taken, self.needed), self.needed)
            if self.training:
                self.needed.copy_(needed)
                self.taken.copy_(taken)
                self.seen.copy_(self.place)
        steps = needed.expand(len(inputs), 1)
        return torch.cat([self.place + inputs, steps.to(inputs)], dim=-1)


class Valley(nn.Module):
    """A head without parameters: one loss of the point.

    Args:
        index: Which of the two.
    """

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def forward(self, point: Tensor) -> Tensor:
        """Half of the loss, the mean of both and the steps, ``[B, 3]`` each, of ``[B, 3]``."""
        both = valleys(point[..., :2])
        own, mean = both[..., self.index] / 2, both.mean(dim=-1)
        return torch.stack([own, mean, point[..., 2]], dim=-1)


def valley_functions() -> TaskFunctions:
    """The first column of the head's output as loss; steps and gap."""
    metrics = {"steps": MeanOfColumn(2), "gap": MeanOfColumn(1, least=MINIMUM)}
    return TaskFunctions(loss=lambda output, _target: output[..., 0].mean(), metrics=metrics)


def nothing(size: int, tasks: Sequence[str], device: torch.device) -> TensorSource:
    """Samples without content: inputs ``[size, 2]`` and targets ``[size]`` of zeros."""
    targets = {task: torch.zeros(size, device=device) for task in tasks}
    return TensorSource(torch.zeros(size, 2, device=device), targets)
