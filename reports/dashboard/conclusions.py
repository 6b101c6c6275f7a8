"""What passes between the server and the process that works out what the report would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


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
        answers: Questions of the report's first screen with their sentences; empty while no method
            has a value.
        methods: By search; empty for a study of a training function.
        notes: Kind, whom it is about, text.
        axes: Units of cost and their labels.
        curves: By unit, ready to be drawn.
    """

    cursor: str
    sentence: str
    answers: Sequence[tuple[str, Sequence[str]]] = ()
    methods: Mapping[str, MethodSaid] = field(default_factory=dict)
    notes: Sequence[tuple[str, str, str]] = ()
    axes: Sequence[tuple[str, str]] = ()
    curves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSaid:
    """A figure of the report as still pictures, for a wide page and a narrow one.

    Attributes:
        wide: An `svg` element, or the reason why there is none.
        seen: What there is to be seen of this study.
        caption: How to read it.
        points: What is drawn, as CSV.
    """

    key: str
    title: str
    seen: str
    caption: str
    wide: str
    narrow: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSaid:
    """What a study says to a claim; effects are name, value, interval.

    Attributes:
        runs: Ids of the runs that it rests on.
    """

    name: str
    states: str
    finding: str
    said: str
    would_decide: str
    remarks: Sequence[str]
    effects: Sequence[tuple[str, str, str]]
    runs: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the server asks about a study as it is at a cursor.

    Attributes:
        about: What for; `arguments` are those of the function that answers.
    """

    about: Literal["conclusions", "budget", "pictures", "claims"]
    study: str
    cursor: str
    arguments: tuple[Any, ...] = ()
