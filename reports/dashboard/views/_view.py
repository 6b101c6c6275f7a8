"""What a search view is: what can be chosen in it, what it draws, and the same as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from reports.dashboard.following.ranked import several_of
from reports.dashboard.views._cloud import Cloud
from storage.records import StudyRecord

TABLE: Final = "table"
"""Id of the table beside a picture."""

TABLE_ROWS: Final = 50
"""Rows of the table beside a picture."""


class Choice(NamedTuple):
    """A part of a view's address.

    Attributes:
        options: Values with what they are called; at least one.
        chosen: One of the values.
    """

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str


class Cell(NamedTuple):
    """What a table says, and where that leads; nowhere, if nothing is said."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A drawing as `svg` elements, for a wide page and for a narrow one.

    Attributes:
        dots: How many trials a dot stands for; empty where each stands for itself.
    """

    wide: str
    narrow: str
    dots: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A view of a study.

    Attributes:
        seen: What there is to be seen of this study.
        caption: How to read the picture.
        heads: Of the table, which holds what matters most in the picture.
        csv: All points, a header first.
    """

    pictures: Pictures
    choices: Sequence[Choice] = ()
    seen: str = ""
    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    csv: Callable[[], Iterable[Sequence[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undrawn:
    """Why there is nothing to be seen, or not yet.

    Attributes:
        waits: Whether it is being worked out.
    """

    reason: str
    choices: Sequence[Choice] = ()
    waits: bool = False


Ask: TypeAlias = Callable[..., Any]
"""What the process beside the server says: of what, further arguments; None while it works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a view draws from.

    Attributes:
        params: Of the address.
        point: The parameters of a trial as JSON, by its place in the mirror.
        ask: See `Ask`; raises `NotConcluded` where something could not be worked out.
    """

    record: StudyRecord
    cloud: Cloud
    params: Mapping[str, str]
    point: Callable[[int], str]
    ask: Ask

    def choice(self, name: str, label: str, options: Sequence[tuple[str, str]]) -> Choice:
        """What the address says; the first of the options, if it says none of them."""
        known = [value for value, _ in options]
        asked = self.params.get(name, "")
        return Choice(name, label, options, asked if asked in known else known[0])

    def search(self, fitting: Callable[[Cloud], bool]) -> Choice | None:
        """One of the searches that fit; None if none does.

        First those in which several parameters vary, and of those the one with the best trial.
        """
        found = []
        for at, search in enumerate(self.cloud.searches):
            of_search = self.cloud.of(search)
            if np.isfinite(of_search.key).any() and fitting(of_search):
                found.append((len(of_search.varied()) < 2, float(of_search.key.min()), at))
        options = [(self.cloud.searches[at], self.cloud.titles[at]) for *_, at in sorted(found)]
        return self.choice("search", "Method", options) if options else None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One search view.

    Attributes:
        key: Its place in addresses.
        says: What it answers, in half a sentence.
        of_functions: Whether studies of training functions and of trainers have it, too;
            `of_methods` those that compare loss weightings.
        of_fronts: Whether such studies with several objectives have it.
        of_gradients: Whether only studies that compare gradients have it.
    """

    key: str
    title: str
    says: str
    draw: Callable[[Seen], Drawn | Undrawn]
    of_functions: bool = True
    of_methods: bool = True
    of_fronts: bool = False
    of_gradients: bool = False

    def is_of(self, record: StudyRecord) -> bool:
        """Whether a study of this kind can have it."""
        if self.of_gradients and not (record.spec.get("diagnostics") or {}).get("gradients"):
            return False
        if record.card.get("kind") != "function" and not record.spec.get("trainer"):
            return self.of_methods
        return self.of_functions or (self.of_fronts and bool(several_of(record)))
