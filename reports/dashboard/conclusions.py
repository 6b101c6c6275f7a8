"""What passes between the server and the process that works out what the report would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSaid:
    """A method's value and interval in words; a dash each where there is none."""

    title: str
    value: str
    interval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusions:
    """What the report would say.

    Attributes:
        cursor: Of the changes up to which it holds.
        methods: By search; empty for a study of a training function.
        notes: Kind, whom it is about, text.
        axes: Units of cost and their labels.
        curves: By unit, ready to be drawn.
    """

    cursor: str
    sentence: str
    methods: Mapping[str, MethodSaid] = field(default_factory=dict)
    notes: Sequence[tuple[str, str, str]] = ()
    axes: Sequence[tuple[str, str]] = ()
    curves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the server asks; with an axis, for the table at a budget."""

    study: str
    cursor: str
    axis: str = ""
    place: int = 100
