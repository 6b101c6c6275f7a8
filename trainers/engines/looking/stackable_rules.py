"""What keeps a network out of a stack, whatever numbers it gives: rules that need one look.

Each rule answers with the end of a sentence that the network begins, or with nothing.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from trainers.engines.fused.forward import trained_parameters
from trainers.engines.stepping import has_step_hooks
from trainers.network import MultiTaskNetwork

_READS = {
    getattr(owner, name): name
    for name in (
        *("item", "tolist", "numpy", "equal", "allclose", "is_nonzero"),
        *("__bool__", "__float__", "__int__", "__index__", "__complex__"),
        *("__array__", "__contains__"),
    )
    for owner in (Tensor, torch)
    if hasattr(owner, name)
}


def structure(network: MultiTaskNetwork) -> str:
    """By what the network consists of."""
    return next(filter(None, (rule(network) for rule in _RULES)), "")


def _uninitialised(network: MultiTaskNetwork) -> str:
    tensors = (*network.named_parameters(), *network.named_buffers())
    names = [name for name, value in tensors if is_lazy(value)]
    return f"has tensors that take their shape from the first data ({names[0]})" if names else ""


def _untrained(network: MultiTaskNetwork) -> str:
    return "" if trained_parameters(network) else "has no parameters to be trained"


def _of_other_types(network: MultiTaskNetwork) -> str:
    types = {param.dtype for param in trained_parameters(network).values()}
    if types <= {torch.get_default_dtype()}:
        return ""
    return "has parameters that are not of the default type, so that they fit in no stack"


def _saved_otherwise(network: MultiTaskNetwork) -> str:
    own = {id(value) for value in (*network.parameters(), *network.buffers())}
    saved = network.state_dict(keep_vars=True)
    names = [name for name, value in saved.items() if id(value) not in own]
    return f"saves more than its own tensors ({names[0]})" if names else ""


def _hooked(network: MultiTaskNetwork) -> str:
    if has_step_hooks():
        return "comes with hooks on the steps of optimisers, which a stack has none of"
    names = [
        name
        for name, param in network.named_parameters()
        if param._backward_hooks or param._post_accumulate_grad_hooks
    ]
    return f"has a hook on a parameter ({names[0]})" if names else ""


def _sharing(network: MultiTaskNetwork) -> str:
    """Two tensors in the same memory change together; in a stack each has its own."""
    found = sorted(
        (value.untyped_storage().data_ptr(), *_span(value), name)
        for name, value in (*network.named_parameters(), *network.named_buffers())
        if value.numel()
    )
    for (storage, _, stop, first), (other, start, _, second) in pairwise(found):
        if storage == other and start < stop:
            return f"has two tensors in the same memory ({first} and {second})"
    return ""


def _span(value: Tensor) -> tuple[int, int]:
    """Where a tensor's memory begins and ends."""
    steps = zip(value.shape, value.stride(), strict=True)
    last = sum((size - 1) * stride for size, stride in steps)
    return value.data_ptr(), value.data_ptr() + (last + 1) * value.element_size()


_RULES: tuple[Callable[[MultiTaskNetwork], str], ...] = (
    _uninitialised,
    _untrained,
    _of_other_types,
    _saved_otherwise,
    _hooked,
    _sharing,
)


class Reads(TorchFunctionMode):
    """Notes by what numbers are read out of tensors while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _READS:
            self.found.append(_READS[func])
        return func(*args, **(kwargs or {}))


@contextmanager
def behaviour(say: Callable[[str], None]) -> Iterator[None]:
    """Surrounds a training step; `say` is told what a later step might do otherwise."""
    before = _drawn()
    with Reads() as reads:
        yield
    if reads.found:
        say(
            f"reads numbers out of tensors (`{reads.found[0]}`), so that what it computes may "
            "change from step to step"
        )
    for whose, state in _drawn().items():
        if state != before.get(whose, state):
            say(f"draws from {whose} own generator, so that its parts may change from step to step")


def _drawn() -> dict[str, object]:
    """Where the global generators stand that are not torch's, by whose they are."""
    found: dict[str, object] = {"Python's": random.getstate()}
    if (of_numpy := sys.modules.get("numpy.random")) is not None:
        _, numbers, place, *_ = of_numpy.get_state()
        found["NumPy's"] = (numbers.tobytes(), place)
    return found
