"""Of what the networks of the zoo are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tests.toy import Toy
from trainers.cards import ProblemCard
from trainers.protocol import TaskFunctions

Make = Callable[[], nn.Module]
TAKEN = ""


@dataclass(frozen=True)
class Kind:
    """A kind of network.

    Attributes:
        refused: Words of the reason why it is not stacked; none if it is.
        unsaved: Words of the reason why its runs are not saved; none if they are.
        head: Makes a task's head; None for the toy's.
        loss: Makes a task's loss from the toy's; None for the toy's.
    """

    trunk: Make
    refused: str = TAKEN
    unsaved: str = ""
    head: Callable[[int], nn.Module] | None = None
    loss: Callable[[Any], Any] | None = None


PAIR = ("level", "kind")


class Housed(Toy):
    """Two tasks of the toy with a network of the zoo; equal to no other, whatever its kind."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        object.__setattr__(self, "kind", kind)

    kind: Kind

    @property
    def card(self) -> ProblemCard:
        usual = super().card
        return replace(usual, tasks=tuple(task for task in usual.tasks if task.name in PAIR))

    def trunk(self) -> nn.Module:
        return self.kind.trunk()

    def head(self, task: str) -> nn.Module:
        usual = super().head(task)
        assert isinstance(usual, nn.Linear)
        return usual if self.kind.head is None else self.kind.head(usual.out_features)

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        if self.kind.loss is None:
            return usual
        return TaskFunctions(loss=self.kind.loss(usual.loss), metrics=usual.metrics)


def of(forward: Callable[..., Tensor], /, **parts: Callable[[], Any]) -> Make:
    """A module with a forward function, whose parts are modules, parameters or plain values."""

    class Made(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, make in parts.items():
                setattr(self, name, make())

        def forward(self, *inputs: Any) -> Any:
            return forward(self, *inputs)

    return Made


def lin(n_in: int = 3, n_out: int = 4, **more: Any) -> Make:
    return lambda: nn.Linear(n_in, n_out, **more)


def seq(*makes: Make) -> Make:
    return lambda: nn.Sequential(*(make() for make in makes))


def after(make: Make) -> Make:
    """Something of four features behind a layer and before another one."""
    return seq(lin(), make, lin(4, 4))


def numbers(*shape: int) -> Callable[[], nn.Parameter]:
    return lambda: nn.Parameter(torch.randn(shape) / 2)


def buffer(make: Make, name: str, value: Callable[[nn.Module], Tensor], **more: Any) -> Make:
    """A module with one more buffer."""

    def made() -> nn.Module:
        module = make()
        module.register_buffer(name, value(module), **more)
        return module

    return made


def changed(make: Make, change: Callable[[Any], object]) -> Make:
    def made() -> nn.Module:
        module = make()
        change(module)
        return module

    return made
