"""Points that go on from another trial's network: children of a population that is trained.

Such a point holds, beside its parameters, where it comes from; so its key tells it from every other
point, and whoever reads the point knows its parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from search_spaces._values import Point, Value, is_number

__all__ = ["KEY", "Origin", "origin_said", "without_origin"]

KEY = "from"
"""Where it stands in a point."""
_FIELDS = ("trial", "epoch", "replaces")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a child comes from.

    Attributes:
        trial: Number of its parent in the search.
        epoch: After which it goes on from the parent.
        replaces: Number of the trial in whose place it came.
    """

    trial: int
    epoch: int
    replaces: int

    @classmethod
    def of(cls, point: Mapping[str, Value]) -> Self | None:
        """Where a point comes from; None for one that begins by itself.

        A training function may have a parameter of that name, which holds something else.
        """
        written = point.get(KEY)
        if not isinstance(written, Mapping) or set(written) != set(_FIELDS):
            return None
        numbers = {name: int(value) for name, value in written.items() if is_number(value)}
        return cls(**numbers) if len(numbers) == len(_FIELDS) else None

    def to_value(self) -> Value:
        """As it stands in a point."""
        return {"trial": self.trial, "epoch": self.epoch, "replaces": self.replaces}

    def __str__(self) -> str:
        return f"trial {self.trial} at epoch {self.epoch}"


def origin_said(value: Any) -> str | None:
    """``trial 3 at epoch 20``; None if this is no origin, but another parameter's value."""
    origin = Origin.of({KEY: value})
    return None if origin is None else str(origin)


def without_origin(point: Mapping[str, Value]) -> Point:
    """The parameters of a point alone."""
    if Origin.of(point) is None:
        return dict(point)
    return {name: value for name, value in point.items() if name != KEY}
