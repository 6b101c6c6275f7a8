"""What takes long to work out of a study that is watched: its headline, and what is still to come.

A thread asks `compare` and `status` in processes of their own, again at most a fifth of the time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from storage.objectives.delta_m import NAME as DELTA_M
from study.asking import Asking, NotAnswered

_REST = 4.0
_LEAST_REST_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Whether nothing is left to train, as of a change; None where that cannot be told here."""

    change: int
    value: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was found out last.

    Attributes:
        headline: What the study says so far; empty until that is known.
        forecast: As `status` has it; None where nothing is left, or nothing is known.
        values: What `compare` says of each search: its value on test with its interval, in words.
        unknown: Why there is no headline.
        over: Whether the study is.
        change: Of the change up to which all this holds.
    """

    headline: str = ""
    forecast: dict[str, Any] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""
    over: Over = Over(change=-1, value=None)
    change: int = -1


class Answering:
    """Keeps answers for one study up to date, in a thread of its own.

    Attributes:
        changed: Set when there are new ones.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._lock = threading.Lock()  # of both below
        self._wanted: tuple[str, int] | None = None
        self._asked: tuple[str, int] | None = None
        self._news, self._ended = threading.Event(), False
        self._waiting = threading.Event()
        self.latest = Answers()
        self.changed = threading.Event()
        threading.Thread(target=self._answer, daemon=True).start()

    def want(self, study: str, change: int, *, soon: bool) -> None:
        """Ask for answers as of a change.

        Args:
            soon: Without a rest, and without answers for any change before, for a study that may be
                over, or that a budget has ended.
        """
        if change == self.latest.change:
            return
        with self._lock:
            if soon:
                self._waiting.set()
            self._wanted = study, change
            if soon and self._asked not in (None, self._wanted):
                self._asking.leave()
        self._news.set()

    def end(self) -> None:
        """Nobody wants to know any more."""
        self._ended = True
        self._news.set()
        self._waiting.set()
        self._asking.end()

    def _answer(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            self._waiting.clear()
            if self._ended or self._wanted is None:
                return
            began_s = time.monotonic()
            with self._lock:
                asked = self._asked = self._wanted
            for found in self._found_out(*asked):
                if self._wanted != asked and self._waiting.is_set():
                    break
                self.latest = found
                self.changed.set()
            self._asked = None
            self._waiting.wait(max(_LEAST_REST_S, _REST * (time.monotonic() - began_s)))

    def _found_out(self, study: str, change: int) -> Iterator[Answers]:
        """First whether it is over, then what it says."""
        found = self.latest
        try:
            status = self._asking.ask("status", study)
            over = Over(change=change, value=status["over"])
            found = replace(found, forecast=status["forecast"], over=over)
        except NotAnswered:
            found = replace(found, over=Over(change=change, value=None))
        yield found
        try:
            said = self._asking.ask("compare", study)
            found = replace(found, headline=said["sentence"], values=_values(said), unknown="")
        except NotAnswered as error:
            found = replace(found, unknown=str(error).splitlines()[0])
        yield replace(found, change=change)


def _values(said: Mapping[str, Any]) -> dict[str, str]:
    """Each method's value on test; nothing of a sealed study, or one of a training function."""
    if said["document"] != "compare.methods":
        return {}
    form = "+.2f" if said["objective"]["name"] == DELTA_M else ".4g"
    found = {}
    for row in said["rows"]:
        value, low, high = row["value_test"], row["low"], row["high"]
        if value is not None:
            within = "" if low is None else f" ({low:{form}} to {high:{form}})"
            found[row["search"]] = f"{value:{form}}{within}"
    return found
