"""What every value of a spec must keep to, whatever it means: it is stored, shown and hashed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

from study.spec._toml import MOST_NESTED

MOST_OF_A_LIST = 10_000
MOST_OF_A_NAME = 100
MOST_OF_A_TEXT = 10_000

MOST_FOUND = 20
"""Of one spec; one slip can make thousands."""
_WIDEST = 2**63

KeyPath = tuple[str | int, ...]


def unfit(plain: object) -> list[tuple[KeyPath, str]]:
    """Places of values that no database, page or message could hold, each with its finding.

    A handful is enough: what is nested without end, or in itself, is not followed.
    """
    found: list[tuple[KeyPath, str]] = []
    waiting: list[tuple[KeyPath, object]] = [((), plain)]
    while waiting and len(found) < MOST_FOUND:
        place, value = waiting.pop()
        if len(place) > MOST_NESTED:
            found.append((place, _nested()))
        elif isinstance(value, Mapping):
            found += [(place, finding) for key in value for finding in _of_key(key)]
            waiting += [((*place, str(key)), part) for key, part in reversed(list(value.items()))]
        elif isinstance(value, list | tuple):
            found += [(place, finding) for finding in _of_list(value)]
            last = min(len(value), MOST_OF_A_LIST)
            waiting += [((*place, i), value[i]) for i in reversed(range(last))]
        else:
            found += [(place, finding) for finding in _of_value(value)]
    return found[:MOST_FOUND]


def _nested() -> str:
    return f"must not lie more than {MOST_NESTED} deep in tables and lists. Got more. Flatten it."


def _of_key(key: object) -> Iterator[str]:
    if not isinstance(key, str):
        yield f"must have text for its keys. Got {type(key).__name__}. Put the key in quotes."
    elif len(key) > MOST_OF_A_NAME:
        yield f"must have keys of at most {MOST_OF_A_NAME} characters. {_long(key)} Shorten it."
    elif not key.isprintable():
        yield f"must have keys of printable text. Got {key!a}. Rename it."


def _of_list(value: Sequence[Any]) -> Iterator[str]:
    if len(value) > MOST_OF_A_LIST:
        yield (
            f"must have at most {MOST_OF_A_LIST:,} values. Got {len(value):,}. "
            "Drop some, or write a range."
        )


def _of_value(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > MOST_OF_A_TEXT:
            yield f"must have at most {MOST_OF_A_TEXT:,} characters. {_long(value)} Shorten it."
        elif not _is_storable(value):
            yield (
                "must be text that can be stored: Unicode, without the character NUL. "
                f"Got {_cut(ascii(value))}. Change it."
            )
    elif isinstance(value, int):
        if not -_WIDEST <= value < _WIDEST:
            yield (
                "must fit into 64 bits, as whole numbers do: below 9.2e18. "
                f"Got one of {value.bit_length()} bits. Change it."
            )
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"must be a finite number. Got {value}. Change it."
    elif value is not None and not isinstance(value, Real) and not hasattr(value, "tolist"):
        kind = type(value).__name__
        yield (
            "must be a number, text in quotes, true or false, a list or a table. "
            f"Got {_cut(repr(value))}, a {kind}. Put it in quotes, or drop it."
        )


def _is_storable(text: str) -> bool:
    """Whether each database and each page can hold it."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _long(text: str) -> str:
    return f"Got {len(text):,}: {_cut(ascii(text))}."


def _cut(shown: str) -> str:
    return shown if len(shown) <= 40 else f"{shown[:40]}..."
