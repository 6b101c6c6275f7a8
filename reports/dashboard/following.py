"""Keeps what pages show up to date: a mirror for each study that somebody looks at, and what its
report would say.

One thread a study reads what has changed when it is asked to. What takes long, the comparison of
the methods, is worked out by a process of its own, again at most every few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from numpy.typing import NDArray

from reports.dashboard.concluder import Concluder, NotConcluded
from reports.dashboard.conclusions import Conclusions
from reports.dashboard.mirror import Mirror
from reports.dashboard.trial_rows import TrialColumns, parameter_columns, trial_columns
from storage import Reader, StorageError
from storage.records import StudyRecord

Further = Literal["pictures", "claims"]
LookAhead = Callable[[str], Sequence[tuple[str, str]]]
"""What a study takes yet, by its name: pairs of what and how much."""

_PAGE: Final = 5_000
_REST: Final = 4.0
"""Conclusions are drawn again after so many times what they took, so that they take a fifth."""
_LEAST_REST_S: Final = 2.0


class Followed:
    """One study that is looked at.

    Attributes:
        lock: Held while the mirror is written or read.
        conclusions: The latest; None until they have been drawn once.
        undrawn: Why they could not be drawn anew; empty if they could.
        ahead: What the study takes yet, as pairs of what and how much; told after `conclusions`.
        ahead_as_of: Of the changes up to which `ahead` holds.
    """

    def __init__(
        self, reader: Reader, concluder: Concluder, ahead: LookAhead, record: StudyRecord
    ) -> None:
        self._reader, self._concluder, self.record = reader, concluder, record
        self.mirror = Mirror()
        self.lock = threading.Lock()
        self.conclusions: Conclusions | None = None
        self.undrawn = ""
        self.ahead: Sequence[tuple[str, str]] = ()
        self.ahead_as_of = ""
        self._ahead = ahead
        self._further: dict[Further, tuple[str, Any]] = {}
        self._wanted: set[Further] = set()
        self._columns: tuple[int, TrialColumns] | None = None
        self._points: tuple[int, Mapping[str, NDArray[Any]]] | None = None
        self._weightings: Mapping[str, str] = {}
        self._answers = threading.Condition()
        self._asked, self._answered = 0, 0
        self._trouble: StorageError | None = None
        self._looked, self._urgent = threading.Event(), threading.Event()
        self._ended = False
        for loop in (self._follow, self._conclude):
            threading.Thread(target=loop, daemon=True).start()

    def catch_up(self, *, within_s: float) -> bool:
        """Whether the mirror holds, in so many seconds, all that was there when this was asked.

        Raises:
            StorageError: The database cannot be read now.
        """
        with self._answers:
            self._asked += 1
            mine = self._asked
            self._answers.notify_all()
            done = self._answers.wait_for(lambda: self._answered >= mine, within_s)
            trouble = self._trouble
        self._looked.set()
        if trouble is not None:
            raise trouble
        return done

    def further(self, what: Further) -> tuple[str, Any]:
        """Pictures or claims: up to which cursor they hold, and they; None until they are there.

        They are worked out when they have been asked for, and again when that is long ago.
        """
        self._wanted.add(what)
        self._looked.set()
        if what not in self._further:
            self._urgent.set()
        return self._further.get(what, ("", None))

    def columns(self) -> TrialColumns:
        """The mirror's trials; with the lock held."""
        if self._columns is None or self._columns[0] != self.mirror.version:
            self._columns = self.mirror.version, trial_columns(self.mirror)
        return self._columns[1]

    def points(self) -> Mapping[str, NDArray[Any]]:
        """The trials' parameters ``[N]`` by name; None where one has no such; lock held."""
        if self._points is None or self._points[0] != len(self.mirror.trials):
            self._points = len(self.mirror.trials), parameter_columns(self.mirror)
        return self._points[1]

    def weightings(self) -> Mapping[str, str]:
        """The weighting of each search, by the search's name."""
        known = {one.search for one in self.mirror.trials}
        if not known <= self._weightings.keys():
            found = self._reader.searches(self.record.id)
            self._weightings = {one.name: one.weighting for one in found}
        return self._weightings

    def end(self) -> None:
        """Nobody looks any more: end its threads."""
        self._ended = True
        self._looked.set()
        self._urgent.set()
        with self._answers:
            self._answers.notify_all()

    def _follow(self) -> None:
        while True:
            with self._answers:
                self._answers.wait_for(lambda: self._ended or self._asked > self._answered)
                asked = self._asked
            if self._ended:
                return
            trouble: StorageError | None = None
            try:
                self._read_on()
            except StorageError as error:
                trouble = error
            except Exception as error:  # this thread must not end; who asks is told
                trouble = StorageError(f"What has changed cannot be read: {error!r}.")
            with self._answers:
                self._answered, self._trouble = asked, trouble
                self._answers.notify_all()

    def _read_on(self) -> None:
        more = True
        while more and not self._ended:
            page = self._reader.changes(self.record.name, self.mirror.cursor, limit=_PAGE)
            with self.lock:
                self.mirror.apply(page)
            more = page.more

    def _conclude(self) -> None:
        """Draws conclusions anew when somebody has looked and something has changed."""
        while not self._ended:
            self._looked.wait()
            self._looked.clear()
            self._urgent.clear()
            if not (cursor := self.mirror.cursor):
                continue
            began = time.monotonic()
            try:
                worked = self._work_out(cursor)
                self.undrawn = ""
            except NotConcluded as error:
                worked, self.undrawn = True, str(error)
            except Exception as error:  # this thread must not end; pages say so
                worked, self.undrawn = True, repr(error)
            if worked:
                self._urgent.wait(max(_LEAST_REST_S, _REST * (time.monotonic() - began)))

    def _work_out(self, cursor: str) -> bool:
        """Whether there was anything to work out at this cursor."""
        study, worked = self.record.name, False
        if self.conclusions is None or self.conclusions.cursor != cursor:
            self.conclusions, worked = self._concluder.conclusions(study, cursor), True
            self.ahead, self.ahead_as_of = self._ahead(study), cursor
        wanted, self._wanted = self._wanted, set()
        for what in tuple(wanted):  # pages may be adding to it
            if self._further.get(what, ("", None))[0] != cursor:
                ask = self._concluder.pictures if what == "pictures" else self._concluder.claims
                self._further[what], worked = (cursor, ask(study, cursor)), True
        return worked
