"""The two networks of `scaled-losses`, what they learn, and how far they are apart.

Shapes: B batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Final

import torch
from torch import Tensor, nn

from trainers.problems._laboratory import MeanOfColumn
from trainers.problems._source import TensorSource
from trainers.protocol import TaskFunctions
from trainers.randomness import Key

MULTIPLES: Final = (2.0, -1.0)
"""Of the input: the targets of first and second."""
_WIDTH = 20


class TwoTasks(nn.Module):
    """A trunk of two layers, and two heads of two layers each."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(1, _WIDTH), nn.LeakyReLU(), nn.Linear(_WIDTH, _WIDTH), nn.LeakyReLU()
        )
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.LeakyReLU(), nn.Linear(_WIDTH, 1))
            for _ in MULTIPLES
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Both values ``[B, 2]`` of inputs ``[B, 1]``."""
        features = self.trunk(inputs)
        return torch.cat([head(features) for head in self.heads], dim=-1)


class Twins(nn.Module):
    """Two networks of the same initial weights, side by side.

    Args:
        frozen: Whether their trunks learn nothing.
    """

    def __init__(self, *, frozen: bool) -> None:
        super().__init__()
        self.scaled = TwoTasks()
        self.scaled.trunk.requires_grad_(not frozen)
        self.twin = deepcopy(self.scaled)

    def forward(self, inputs: Tensor) -> Tensor:
        """``[B, 7]``: the values of the network and of its twin, two each, then the gaps."""
        gaps = self.gaps().to(inputs).expand(len(inputs), 3)
        return torch.cat([self.scaled(inputs), self.twin(inputs), gaps], dim=-1)

    @torch.no_grad()
    def gaps(self) -> Tensor:
        """The largest gap of the trunk's weights and of each head's, ``[3]``."""
        pairs = zip(
            (self.scaled.trunk, *self.scaled.heads),
            (self.twin.trunk, *self.twin.heads),
            strict=True,
        )
        return torch.stack([(_numbers(one) - _numbers(other)).abs().amax() for one, other in pairs])


class OneOfFour(nn.Module):
    """A head without weights, which picks what concerns its task.

    Args:
        index: Of the task: first, second, and their twins.
    """

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def forward(self, found: Tensor) -> Tensor:
        """Its value, the gap of its weights in the network and the trunk's, ``[B, 3]``."""
        return torch.stack(
            [found[..., self.index], found[..., 5 + self.index % 2], found[..., 4]], dim=-1
        )


def scaled_functions(scale: float) -> TaskFunctions:
    """The mean absolute error times the scale; gaps as metrics."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return scale * (output[..., 0] - target).abs().mean()

    return TaskFunctions(
        loss=loss, metrics={"head_gap": MeanOfColumn(1), "trunk_gap": MeanOfColumn(2)}
    )


def multiples(split: str, size: int, tasks: Sequence[str], device: torch.device) -> TensorSource:
    """Inputs ``[size, 1]``, uniform from -1 to 1, and their multiples ``[size]``."""
    drawn = torch.rand(size, 1, generator=(Key("scaled-losses") / split).generator())
    inputs = (2 * drawn - 1).to(device)
    by_task = zip(tasks, MULTIPLES * 2, strict=True)
    return TensorSource(inputs, {task: factor * inputs[:, 0] for task, factor in by_task})


def _numbers(of: nn.Module) -> Tensor:
    return torch.cat([param.flatten() for param in of.parameters()])
