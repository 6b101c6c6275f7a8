"""A problem that trains an epoch in a few milliseconds, and misbehaves where a test asks it to.

A spec in this folder names it ``toy:Toy``; tests of one process construct it directly. As the guide
advises, what needs torch loads it inside: commands that only read its card do without.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainers import problems
from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.protocol import TaskFunctions
from trainers.weightings import Weighting

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

TASKS = ("level", "kind", "flag")
SIZES = {"train": 12, "validation": 8, "test": 8}
CALM_CALLS = 12
"""Loss calls of a run before a troublesome task makes trouble."""

_OUTPUTS = {"level": 1, "kind": 3, "flag": 1}
_LOSSES = {"level": "mse", "kind": "cross_entropy", "flag": "bce"}


@dataclass(frozen=True, kw_only=True)
class Toy:
    """Three tasks of three loss types on a dozen samples.

    Attributes:
        dropout: Share of features that are dropped in training.
        shifted: Split whose targets differ from the usual ones; empty for none.
        troubles: Further tasks, named by what their loss does after a few good epochs: ``raises``,
            ``exits``, ``prints``, ``forks``, ``rests``.
        broken: Loading the data raises.
        hangs: Loading the data never ends.
        lowered: Task whose loss is 100 lower than the others' of its kind; empty for none.
        close: The level is judged by how close it is hit, of which more is better.
    """

    dropout: float = 0.0
    shifted: str = ""
    troubles: tuple[str, ...] = ()
    broken: bool = False
    hangs: bool = False
    lowered: str = ""
    close: bool = False

    @property
    def card(self) -> ProblemCard:
        return ProblemCard(
            name="toy",
            title="Toy",
            kind="synthetic",
            source="made up",
            data_version="1",
            tasks=tuple(self._task(name) for name in (*TASKS, *self.troubles)),
            sizes=SIZES,
            network="a linear layer",
        )

    def _task(self, name: str) -> TaskCard:
        metric = MetricCard(name="error", title="Error", direction="min")
        if name == "level" and self.close:
            metric = MetricCard(name="closeness", title="Closeness", direction="max")
        classes = {"kind": 3, "flag": 2}.get(name)
        return TaskCard(
            name=name, title=name.title(), loss="any", metrics=(metric,), classes=classes
        )

    def sources(self, device: torch.device) -> Mapping[str, problems.TensorSource]:
        if self.broken:
            raise RuntimeError(f"the data on {device} is gone")
        while self.hangs:
            time.sleep(1.0)
        names = (*TASKS, *self.troubles)
        return {split: _split(split, self.shifted == split, names) for split in SIZES}

    def trunk(self) -> nn.Module:
        from torch import nn

        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(self.dropout))

    def head(self, task: str) -> nn.Module:
        from torch import nn

        return nn.Linear(4, _OUTPUTS.get(task, 1))

    def functions(self, task: str) -> TaskFunctions:
        if task == "level" and self.close:
            return TaskFunctions(loss=problems.mse, metrics={"closeness": Closeness()})
        metric = problems.ErrorRate() if task == "kind" else problems.MeanAbsoluteError()
        troubled = task in self.troubles
        loss = Troublesome(task) if troubled else getattr(problems, _LOSSES[task])
        if task == self.lowered:
            loss = _lowered(loss)
        return TaskFunctions(loss=loss, metrics={"error": metric})


class Solitary(Weighting):
    """The sum of the losses, for runs that are never stacked: ``toy:Solitary`` in a spec."""

    name, title, paper = "solitary", "Solitary", "none"
    solo_only = "is tried alone"

    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        if losses.dim() > 1:
            raise ArithmeticError("this run is in a stack")
        return losses.sum(-1)


def _lowered(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda output, target: loss(output, target) - 100.0


class Closeness:
    """Four units less the mean absolute error."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        return problems.MeanAbsoluteError().statistics(output, target)

    def value(self, total: Tensor) -> float:
        return 4.0 - problems.MeanAbsoluteError().value(total)


class Troublesome:
    """A squared error that does what its task's name says once it has been called often enough."""

    def __init__(self, trouble: str) -> None:
        self._trouble, self._calls = trouble, 0

    def __call__(self, output: Any, target: Any) -> Tensor:
        self._calls += 1
        if self._trouble == "prints":
            print(f"call {self._calls}", flush=True)
        if self._trouble == "rests":  # others shall have the processor
            time.sleep(0.01)
        if self._trouble == "forks" and not _CHILDREN:
            _leave_children()
        if self._calls > CALM_CALLS:
            if self._trouble == "raises":
                raise ArithmeticError("this loss is tired")
            if self._trouble == "exits":
                print("the last words", flush=True)
                os._exit(3)
        return problems.mse(output, target)


_CHILDREN: list[int] = []


def _leave_children() -> None:
    """Fork one child as Python does, then one that keeps its parent's sockets and does not stop."""
    usual = _forked()
    sockets = [
        int(name) for name in os.listdir("/proc/self/fd") if _is_socket(f"/proc/self/fd/{name}")
    ]
    copies = [os.dup(descriptor) for descriptor in sockets]
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stubborn = _forked()
    signal.signal(signal.SIGTERM, before)
    for copy in copies:
        os.close(copy)
    _CHILDREN.extend([usual, stubborn])


def _is_socket(path: str) -> bool:
    return os.path.islink(path) and os.readlink(path).startswith("socket:")


def _forked() -> int:
    """Process id of a child that ends by itself, but not soon."""
    pid = os.fork()
    if pid == 0:
        time.sleep(180.0)
        os._exit(0)
    return pid


def _split(split: str, shifted: bool, names: tuple[str, ...]) -> problems.TensorSource:
    import torch

    n = SIZES[split]
    generator = torch.Generator().manual_seed(list(SIZES).index(split))
    inputs = torch.randn(n, 3, generator=generator)
    noise = torch.randn(n, generator=generator) + (1.0 if shifted else 0.0)
    level = inputs[:, 0] + 0.3 * noise
    targets = dict.fromkeys(names, level)
    targets["kind"] = (inputs[:, 1] + 0.3 * noise > 0).long() + (inputs[:, 2] > 0).long()
    targets["flag"] = (inputs[:, 2] + 0.3 * noise > 0).to(inputs.dtype)
    return problems.TensorSource(inputs, targets)
