"""Pickles of records that are sent by the thousand: by the values of their fields.

Dataclasses with slots look for their fields anew each time they are pickled, in Python, which takes
three times as long.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

Record = TypeVar("Record")
_setters: dict[type, list[Callable[[Any, Any], None]]] = {}


def pickled_by_values(kind: type[Record]) -> type[Record]:
    """Let a dataclass with slots, of two fields or more, be pickled as the values of its fields.

    They are not checked again when it is read.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = attrgetter(*names)
    _setters[kind] = [getattr(kind, name).__set__ for name in names]
    copyreg.pickle(kind, lambda one: (_made, (kind, *values(one))))
    return kind


def _made(kind: type[Record], *values: Any) -> Record:
    new = object.__new__(kind)
    for put, value in zip(_setters[kind], values, strict=True):
        put(new, value)
    return new
