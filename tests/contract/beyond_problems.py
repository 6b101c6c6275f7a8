"""Problems whose trunks or heads do what methods beyond losses must cope with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tests.toy import Toy


@dataclass(frozen=True, kw_only=True)
class Doubled(Toy):
    """Its trunk takes twice the input."""

    def trunk(self) -> nn.Module:
        return nn.Sequential(Twice(), *super().trunk())


@dataclass(frozen=True, kw_only=True)
class DoubledInPlace(Toy):
    """The same, written over the batch."""

    def trunk(self) -> nn.Module:
        return nn.Sequential(TwiceInPlace(), *super().trunk())


class Twice(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * 2


class TwiceInPlace(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.mul_(2)


@dataclass(frozen=True, kw_only=True)
class Idle(Toy):
    """Its trunk has a parameter that it does not use."""

    kept: list[Tensor]

    def trunk(self) -> nn.Module:
        trunk = super().trunk()
        trunk.idle = nn.Parameter(torch.full((1,), 3.0))
        self.kept.append(trunk.idle)
        return trunk


@dataclass(frozen=True, kw_only=True)
class Nothing(Toy):
    """Its tasks share no parameter."""

    def trunk(self) -> nn.Module:
        return nn.Identity()

    def head(self, task: str) -> nn.Module:
        return nn.Linear(3, 3 if task == "kind" else 1)


class Both(nn.Module):
    """A part of the trunk in a head."""

    def __init__(self, weight: nn.Parameter) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, features: Tensor) -> Tensor:
        return features @ self.weight[:, :3]


@dataclass(frozen=True, kw_only=True)
class Tied(Toy):
    """One head's weights are the trunk's."""

    def trunk(self) -> nn.Module:
        trunk = super().trunk()
        _TRUNKS.append(trunk[0].weight)
        return trunk

    def head(self, task: str) -> nn.Module:
        return Both(_TRUNKS[-1]) if task == "kind" else super().head(task)


_TRUNKS: list[nn.Parameter] = []
