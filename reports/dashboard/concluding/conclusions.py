"""What passes between the server and the process that works out what the report would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

QUICK: Final = ("budget", "curves")
"""What somebody waits for with a hand on a slider: it waits for no picture."""


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
        reading: How their values differ from others of the page, and what the sentence is about.
        optimizers: What optimisers come to beside each other, a sentence a pair of them.
        methods: By search; empty for a study of a training function.
        notes: Kind, whom it is about, text.
        axes: Units of cost and their labels.
        measures: What curves can be told by: keys and titles, the usual one first.
        curves: By unit, told by that one, ready to be drawn.
    """

    cursor: str
    sentence: str
    answers: Sequence[tuple[str, Sequence[str]]] = ()
    reading: str = ""
    optimizers: Sequence[str] = ()
    methods: Mapping[str, MethodSaid] = field(default_factory=dict)
    notes: Sequence[tuple[str, str, str]] = ()
    axes: Sequence[tuple[str, str]] = ()
    measures: Sequence[tuple[str, str]] = ()
    curves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSaid:
    """A figure of the report as still pictures, for a wide page and a narrow one.

    Attributes:
        wide: An `svg` element, or the reason why there is none.
        seen: What there is to be seen of this study, in lines.
        caption: How to read it.
        points: What is drawn, as CSV.
    """

    wide: str
    narrow: str
    seen: str
    caption: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMetrics:
    """What trials have come to by each metric, on validation; N trials, M metrics.

    Attributes:
        searches: Names.
        search: ``[N]``, places in `searches`.
        number: ``[N]``, the trials' numbers.
        values: ``[N, M]``, means over seeds.
        names: ``[M]``, of metrics with their tasks'.
        titles: ``[M]``, how they are called.
        primary: Of `names` the first one of each task.
        signs: ``[M]``, +1 if lower is better, else -1.
        alone: ``[M]``, values of the single-task networks; NaN where there are none.
        objectives: Of `names` those whose front the study searches; empty with one objective.
    """

    searches: Sequence[str]
    search: NDArray[np.int64]
    number: NDArray[np.int64]
    values: NDArray[np.float64]
    names: Sequence[str]
    titles: Sequence[str]
    primary: Sequence[str]
    signs: Sequence[int]
    alone: Sequence[float]
    objectives: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSaid:
    """A table of methods; the first cell of a row is the method, `colours` has its colour."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    colours: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What several studies say together.

    Attributes:
        at: The budget that is looked at, as it is written.
        trouble: Why there is nothing at it; empty if there is.
        suggested: Budgets to look at.
        tables: Of whole searches.
        differing: What sets the studies apart.
    """

    sentence: str
    at: str
    trouble: str
    suggested: Sequence[str]
    at_budget: TableSaid | None
    tables: Sequence[TableSaid]
    differing: Sequence[str]


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


About: TypeAlias = Literal[
    "conclusions",
    "budget",
    "curves",
    "claims",
    "compared",
    "metrics",
    "importances",
    "weights",
    "conflicts",
    "learning_curves",
]


class Stand(NamedTuple):
    """A study, by name and birth, as it is at a cursor of its changes."""

    study: str
    birth: str
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the server asks about studies.

    Attributes:
        about: What for; `arguments` are those of the function that answers, after the studies.
        of: One study, or several to be compared.
    """

    about: About
    of: tuple[Stand, ...]
    arguments: tuple[Any, ...] = ()
