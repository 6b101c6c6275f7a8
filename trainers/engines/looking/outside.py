"""What networks and losses keep outside `state_dict`: attributes and buffers that training changes.

A counter, a running mean in a plain attribute or a buffer that is not persistent is part of a
run's state as much as a weight. What consists of numbers, texts and tensors is saved with a run.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from trainers.engines.looking.sealing import seal
from trainers.protocol import TaskFunctions

_OF_TORCH = frozenset(vars(nn.Module())) | {"_is_full_backward_hook"}
_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
_CODE = (FunctionType, MethodType, partial, type)
_PLAIN = (bool, int, float, str, type(None))


class Outside:
    """What a network and its losses keep outside the network's `state_dict`, from now on.

    Values are found by place: the name of a buffer or an attribute, behind the one of its module.
    """

    def __init__(self, network: nn.Module, functions: Mapping[str, TaskFunctions]) -> None:
        self._owners = dict(_owners(network, functions))
        self._losses = {f"loss of {task}": parts.loss for task, parts in functions.items()}
        saved = network.state_dict(keep_vars=True).values()
        self._saved = {id(of): of for of in (*network.parameters(), *saved)}
        self._device = next((of.device for of in network.parameters()), torch.device("cpu"))
        self._first = {place: _copied(value) for place, value, _ in self._plain()}

    def changed(self) -> dict[str, Any]:
        """What is no more what it was at first, by place; ready to be saved."""
        return {
            place: tree_map_only(Tensor, Tensor.detach, value)
            for place, value, _ in self._plain()
            if place not in self._first or not _same(value, self._first[place])
        }

    def changed_attributes(self) -> list[str]:
        """Places that have changed and are no buffers of the network."""
        changed = self.changed()
        places = [place for place, _, of_network in self._plain() if not of_network]
        return [place for place in places if place in changed]

    def seals(self) -> dict[str, bytes]:
        """Of all places with more than numbers, texts and tensors: what changes with the value.

        What functions close over is among them, as are objects and modules that are no attribute
        of the network's modules.
        """
        known = {*self._saved, *(id(owner) for owner in self._owners.values())}
        found = {
            place: seal(value, known) for place, value in self._roots() if not self._savable(value)
        }
        return {place: of for place, of in found.items() if of}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Set what had changed; a tensor keeps its memory, which others may share."""
        here = {place: value for place, value, _ in self._plain()}
        for place, value in saved.items():
            before = here.get(place)
            if isinstance(before, Tensor) and _fits(before, value):
                with torch.no_grad():
                    before.copy_(value)
                continue
            owner, _, name = place.rpartition(".")
            values = vars(self._owners[owner])
            buffers = values.get("_buffers", {})
            where = before.device if isinstance(before, Tensor) else self._device
            (buffers if name in buffers else values)[name] = _copied(value, where)

    def _plain(self) -> Iterator[tuple[str, Any, bool]]:
        """Place, value, and whether it is a buffer of the network, of all that can be saved."""
        for place, value, of_network in self._values():
            if self._savable(value):
                yield place, value, of_network

    def _values(self) -> Iterator[tuple[str, Any, bool]]:
        for name, owner in self._owners.items():
            for key, value in vars(owner).items():
                if key not in _OF_TORCH:
                    yield f"{name}.{key}", value, False
            if isinstance(owner, nn.Module):
                inside = not name.startswith("loss of ")
                lost = owner._non_persistent_buffers_set if inside else set(owner._buffers)
                for key in sorted(lost):
                    if owner._buffers.get(key) is not None:
                        yield f"{name}.{key}", owner._buffers[key], inside

    def _roots(self) -> Iterator[tuple[str, Any]]:
        """All values that may lead to something that nobody saves, by place."""
        yield from ((place, value) for place, value, of_network in self._values() if not of_network)
        for name, owner in self._owners.items():
            if isinstance(owner, nn.Module):
                yield f"a hook of {name}", [vars(owner)[key] for key in _HOOKS]
        yield from self._losses.items()

    def _savable(self, value: Any) -> bool:
        if isinstance(value, Tensor):
            return id(value) not in self._saved
        if type(value) in (list, tuple):
            return all(self._savable(part) for part in value)
        if type(value) is dict:
            return all(type(key) in _PLAIN and self._savable(of) for key, of in value.items())
        return type(value) in _PLAIN


def _owners(
    network: nn.Module, functions: Mapping[str, TaskFunctions]
) -> Iterator[tuple[str, Any]]:
    """All that may keep something, by name."""
    yield from ((name or "network", module) for name, module in network.named_modules())
    for task, parts in functions.items():
        loss = inspect.unwrap(parts.loss)
        if isinstance(loss, nn.Module):
            for name, module in loss.named_modules():
                yield f"loss of {task}" + (f".{name}" if name else ""), module
        elif hasattr(loss, "__dict__") and not isinstance(loss, _CODE):
            yield f"loss of {task}", loss


def _copied(value: Any, where: torch.device | None = None) -> Any:
    return tree_map_only(Tensor, lambda tensor: tensor.detach().to(where, copy=True), value)


def _same(first: Any, second: Any) -> bool:
    if type(first) is not type(second):
        return False
    if isinstance(first, Tensor):
        alike = first.shape == second.shape and first.dtype == second.dtype
        return alike and first.device == second.device and torch.equal(first, second)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    return bool(first == second) or first != first  # NaN is as it was


def _fits(here: Tensor, value: Any) -> bool:
    if not isinstance(value, Tensor):
        return False
    return here.shape == value.shape and here.dtype == value.dtype and not here.requires_grad
