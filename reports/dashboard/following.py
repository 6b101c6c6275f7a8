"""Keeps what pages show up to date: a mirror for each study that somebody looks at, and what its
report would say.

One thread a study reads what has changed when it is asked to. What takes long, the comparison of
the methods, is worked out by a process of its own, again at most every few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray

from reports.dashboard.concluder import Concluder, NotConcluded
from reports.dashboard.conclusions import Conclusions
from reports.dashboard.mirror import Mirror
from reports.dashboard.trial_rows import TrialColumns, parameter_columns, trial_columns
from storage import Reader, StorageError
from storage.records import StudyRecord

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
    """

    def __init__(self, reader: Reader, concluder: Concluder, record: StudyRecord) -> None:
        self._reader, self._concluder, self.record = reader, concluder, record
        self.mirror = Mirror()
        self.lock = threading.Lock()
        self.conclusions: Conclusions | None = None
        self.undrawn = ""
        self._columns: tuple[int, TrialColumns] | None = None
        self._points: tuple[int, Mapping[str, NDArray[Any]]] | None = None
        self._weightings: Mapping[str, str] = {}
        self._answers = threading.Condition()
        self._asked, self._answered = 0, 0
        self._trouble: StorageError | None = None
        self._looked = threading.Event()
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
        with self._answers:
            self._answers.notify_all()

    def _follow(self) -> None:
        while True:
            with self._answers:
                self._answers.wait_for(lambda: self._ended or self._asked > self._answered)
                asked = self._asked
            if self._ended:
                return
            trouble = None
            try:
                self._read_on()
            except StorageError as error:
                trouble = error
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
            cursor = self.mirror.cursor
            if not cursor or (self.conclusions and self.conclusions.cursor == cursor):
                continue
            began = time.monotonic()
            try:
                self.conclusions = self._concluder.conclusions(self.record.name, cursor)
                self.undrawn = ""
            except NotConcluded as error:
                self.undrawn = str(error)
            rest_s = max(_LEAST_REST_S, _REST * (time.monotonic() - began))
            time.sleep(rest_s)
