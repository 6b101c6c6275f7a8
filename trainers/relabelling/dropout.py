"""A problem's network with a dropout of one's choice.

All layers of dropout that a trunk or a head has are set to it; a network without any gets one
behind each of its activations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from torch import nn

from trainers.cards import ProblemCard
from trainers.protocol import Problem, Source, TaskFunctions

if TYPE_CHECKING:
    from torch import device

LAYERS: Final = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
_ACTIVATIONS: Final = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Hardswish, nn.Sigmoid, nn.Tanh, nn.Softplus),
)


@dataclass(frozen=True, slots=True)
class WithDropout:
    """A problem whose trunk drops a share of its features in training.

    Attributes:
        share: 0 or above and below 1.
    """

    problem: Problem
    share: float

    @property
    def card(self) -> ProblemCard:
        """That of the problem."""
        return self.problem.card

    def sources(self, device: device) -> Mapping[str, Source]:
        """Those of the problem."""
        return self.problem.sources(device)

    def trunk(self) -> nn.Module:
        """That of the problem, with the dropout."""
        return with_dropout(self.problem.trunk(), self.share)

    def head(self, task: str) -> nn.Module:
        """That of the problem; layers of dropout that it has are set."""
        found = self.problem.head(task)
        _set(found, self.share)
        return found

    def functions(self, task: str) -> TaskFunctions:
        """Those of the problem."""
        return self.problem.functions(task)


def with_dropout(trunk: nn.Module, share: float) -> nn.Module:
    """The trunk, changed in place unless it is an activation by itself."""
    if _set(trunk, share) or share == 0:
        return trunk
    if isinstance(trunk, _ACTIVATIONS):
        return nn.Sequential(trunk, nn.Dropout(share))
    for module in [*trunk.modules()]:
        for name, child in [*module.named_children()]:
            if isinstance(child, _ACTIVATIONS):
                setattr(module, name, nn.Sequential(child, nn.Dropout(share)))
    return trunk


def _set(module: nn.Module, share: float) -> int:
    """Set all layers of dropout; returns their number."""
    found = [layer for layer in module.modules() if isinstance(layer, LAYERS)]
    for layer in found:
        layer.p = share
    return len(found)
