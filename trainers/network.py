"""A trunk with one head a task, initialised part by part from addressed randomness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map_only

from trainers.parts import mark
from trainers.protocol import Problem
from trainers.randomness import Key

_HALVES = (torch.bfloat16, torch.float16)


class MultiTaskNetwork(nn.Module):
    """Shared trunk and task heads; maps inputs to a dict of head outputs.

    Attributes:
        heads: By place, see `head_place`.
        places: Task to place.
        trunk_frozen: The trunk learns nothing, and is in inference mode while the heads train.
    """

    def __init__(
        self, trunk: nn.Module, heads: dict[str, nn.Module], *, trunk_frozen: bool = False
    ) -> None:
        super().__init__()
        self.trunk_frozen = trunk_frozen
        if trunk_frozen:
            trunk.requires_grad_(False)
        self.trunk = trunk
        self.places = {task: head_place(task) for task in heads}
        self.heads = nn.ModuleDict({self.places[task]: head for task, head in heads.items()})

    def train(self, mode: bool = True) -> Self:
        """Set training or inference mode; a frozen trunk stays in the latter."""
        super().train(mode)
        if self.trunk_frozen:
            self.trunk.eval()
        return self

    def forward(self, inputs: Any) -> dict[str, Any]:
        """Head outputs by task name; losses and metrics see them in single precision."""
        task = ""
        try:
            features = self.trunk(inputs)
            found = {}
            for task, place in self.places.items():
                found[task] = self.heads[place](features)
        except Exception as error:
            mark(error, *(("head", task) if task else ("trunk",)))
            raise
        return widened(found)


def head_place(task: str) -> str:
    """Under which name a task's head is a submodule: its own, wherever torch allows that.

    No name may have a dot, or be that of an attribute of torch's modules, as ``type`` is.
    """
    if "." not in task and "%" not in task and not hasattr(_NO_HEADS, task):
        return task
    escaped = task.replace("%", "%25").replace(".", "%2E")
    return escaped if escaped != task else f"%{ord(task[0]):02X}{task[1:]}"


_NO_HEADS = nn.ModuleDict()


def widened(outputs: dict[str, Any]) -> dict[str, Any]:
    """Head outputs in single precision, where autocast has made them narrower."""
    if not torch._C._is_any_autocast_enabled():
        return outputs
    found: dict[str, Any] = tree_map_only(
        Tensor, lambda out: out.float() if out.dtype in _HALVES else out, outputs
    )
    return found


def build_network(problem: Problem, tasks: Sequence[str], key: Key) -> MultiTaskNetwork:
    """Build the network of some tasks of a problem.

    Trunk and heads have an address each, so a single-task baseline starts from the same trunk
    and the same head as the multi-task network.
    """
    trunk = _initialised(problem.trunk, key / "trunk")
    heads = {task: _initialised(partial(problem.head, task), key / "head" / task) for task in tasks}
    frozen = bool(getattr(problem, "trunk_frozen", False))
    return MultiTaskNetwork(trunk, heads, trunk_frozen=frozen)


def count_parameters(problem: Problem) -> int | None:
    """How many numbers the network of all tasks trains; None while layers wait for data to tell."""
    network = build_network(problem, problem.card.task_names, Key("size"))
    trained = [param for param in network.parameters() if param.requires_grad]
    if any(map(is_lazy, trained)):
        return None
    return sum(param.numel() for param in trained)


def _initialised(build: Callable[[], nn.Module], key: Key) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        key.seed_global()
        return build()
