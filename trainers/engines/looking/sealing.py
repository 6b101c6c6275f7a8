"""Seals of what nobody can save: closures, objects, modules in lists. They change with the value.

What is only pointed to and saved elsewhere (a network's own tensors and modules) is left out, and
so is code.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from itertools import count, islice
from types import (
    BuiltinMethodType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from torch import Generator, Tensor, nn, uint8
from torch.utils.hooks import RemovableHandle

_MOST_PARTS = 1_000
"""Of a container's parts, those that are looked at: what is longer is data."""
_MOST_LEAVES = 20_000
_MOST_BYTES = 1_000_000
"""Of an array; of a larger one, what is looked at is spread over it."""
_SIMPLE = (type(None), bool, int, float, complex, str, bytes)
_PICKLING = ("__reduce__", "__reduce_ex__")
_NO_STATE = (type, ModuleType, MethodDescriptorType, WrapperDescriptorType, RemovableHandle)
_CHANGING = count()


def seal(value: Any, known: Container[int]) -> bytes:
    """Changes when the value does; empty if there is nothing in it that could.

    Args:
        known: Identities of what is saved elsewhere.
    """
    leaves = [*islice(_leaves(value, known, {}), _MOST_LEAVES)]
    return blake2b(b"\0".join(leaves), digest_size=16).digest() if leaves else b""


def _leaves(value: Any, known: Container[int], seen: dict[int, Any]) -> Iterator[bytes]:
    """What consists of no further parts, in an order that does not change by itself."""
    if isinstance(value, _SIMPLE):
        yield repr(value).encode(errors="backslashreplace")
    elif isinstance(value, _NO_STATE) or id(value) in known or id(value) in seen:
        return
    else:
        seen[id(value)] = value  # kept alive, so that nothing else gets its identity
        parts = _parts(value)
        if parts is None:
            yield _bytes_of(value)
        elif isinstance(parts, Mapping):
            for key, part in islice([*parts.items()], _MOST_PARTS):
                if inside := [*_leaves(part, known, seen)]:
                    yield repr(key).encode(errors="backslashreplace")
                    yield from inside
        elif isinstance(value, set | frozenset):
            of_parts = (b"\1".join(_leaves(part, known, seen)) for part in parts)
            yield from sorted(of_parts)
        else:
            for part in islice([*parts], _MOST_PARTS):
                yield from _leaves(part, known, seen)


def _parts(value: Any) -> Mapping[Any, Any] | Iterable[Any] | None:
    """Of what a value consists; None if it is one piece."""
    if isinstance(value, FunctionType):
        defaults = (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
        changeable = [part for part in defaults if not isinstance(part, _SIMPLE)]
        return (*_closed_over(value), *changeable, vars(value))
    if isinstance(value, MethodType):
        return (value.__func__, value.__self__)
    if isinstance(value, BuiltinMethodType | MethodWrapperType):
        return () if value.__self__ is None else (value.__self__,)
    if isinstance(value, partial):
        return (value.func, value.args, value.keywords)
    if isinstance(value, GeneratorType):
        frame = value.gi_frame  # none once it has ended
        return () if frame is None else (frame.f_lasti, dict(frame.f_locals))
    if isinstance(value, nn.Module):
        return {key: part for key, part in vars(value).items() if key != "training"}
    if isinstance(value, Mapping | list | tuple | deque | set | frozenset):
        return value
    return _attributes(value)


def _closed_over(function: FunctionType) -> list[Any]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # nothing has been put there yet
            continue
    return found


def _attributes(value: Any) -> dict[str, Any] | None:
    """Those of an object of a plain class; None for one that knows better what it consists of."""
    kind = type(value)
    if any(getattr(kind, name) is not getattr(object, name) for name in _PICKLING):
        return None
    slots = [name for base in kind.__mro__ for name in vars(base).get("__slots__", ())]
    if not hasattr(value, "__dict__") and not slots:
        return None
    return {
        **{name: getattr(value, name, None) for name in slots},
        **getattr(value, "__dict__", {}),
    }


def _bytes_of(value: Any) -> bytes:
    try:
        if isinstance(value, Generator):  # whose own pickle differs each time, up to torch 2.8
            value = value.get_state()
        if isinstance(value, Tensor):
            value = value.detach().cpu().reshape(-1).view(uint8).numpy()
        if getattr(value, "nbytes", 0) > _MOST_BYTES:
            numbers = value.reshape(-1)
            value = numbers[:: max(1, len(numbers) * numbers.itemsize // _MOST_BYTES)]
        return pickle.dumps(value)
    except Exception:  # what cannot be looked into: handles and locks, which keep no numbers
        return str(next(_CHANGING)).encode() if isinstance(value, Iterator) else b""
