"""Keeps what pages show up to date: a mirror for each study that somebody looks at, and what its
report would say.

One thread a study reads what has changed when it is asked to. What takes long, the comparison of
the methods, is worked out by a process of its own, again at most every few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from reports._naming import titles_of
from reports.dashboard.concluding.concluder import Concluder, NotConcluded
from reports.dashboard.concluding.conclusions import Conclusions, Question, Stand
from reports.dashboard.following.measured import Measure, Measured, read
from reports.dashboard.following.mirror import Mirror, SearchTotals, summed_states
from reports.dashboard.following.parameters import Parameter, parameters_of
from reports.dashboard.following.trial_rows import TrialColumns, TrialRows
from storage import FINAL, Reader, RunState, StorageError
from storage.beginning import Columns
from storage.records import (
    BETWEEN_S,
    Glance,
    SearchRecord,
    StudyRecord,
    Totals,
    WorkerProcess,
    is_between_runs,
)

_PAGE: Final = 5_000
_BLOCK: Final = 10_000
_MOST_WORKERS: Final = 100
_REST: Final = 4.0
"""Conclusions are drawn again after so many times what they took, so that they take a fifth."""
_LEAST_REST_S: Final = 2.0


class Followed:
    """One study that is looked at.

    Attributes:
        found: The study as it was last looked at.
        lock: Held while the mirror is written or read.
        measured: What the mirror does not hold of its runs, as far as somebody has asked for it.
        conclusions: The latest; None until they have been drawn once.
        undrawn: Why they could not be drawn anew; empty if they could.
    """

    def __init__(self, reader: Reader, concluder: Concluder, found: Glance) -> None:
        self._reader, self._concluder, self.found = reader, concluder, found
        self.mirror = Mirror()
        self.lock = threading.Lock()
        self.measured = Measured(self.mirror, self.lock, self._measure)
        self.conclusions: Conclusions | None = None
        self.undrawn = ""
        self._rows = TrialRows(self.mirror)
        self._searches: Sequence[SearchRecord] = ()
        self._parameters: tuple[int, Mapping[str, Parameter]] | None = None
        self._processes: tuple[int, tuple[int, Sequence[WorkerProcess]]] | None = None
        self._answers = threading.Condition()
        self._asked, self._answered, self._seen = 0, 0, -1
        self._trouble: StorageError | None = None
        self._looked, self._over = threading.Event(), threading.Event()
        self._ended = False
        self._changed_s = time.monotonic()
        self._reads = threading.Thread(target=self._follow, daemon=True)
        for thread in (self._reads, threading.Thread(target=self._conclude, daemon=True)):
            thread.start()

    @property
    def is_filled(self) -> bool:
        """Whether the mirror has held all that was there once."""
        return bool(self.mirror.cursor)

    def catch_up(self, *, within_s: float) -> None:
        """Have the mirror hold all that was found, or wait no longer than so many seconds.

        Raises:
            StorageError: The database cannot be read now, or the study is no longer followed.
        """
        change = self.found.change
        with self._answers:
            if self._seen >= change and not self._ended:
                self._looked.set()
                return
            self._asked += 1
            mine = self._asked
            self._answers.notify_all()
            self._answers.wait_for(lambda: self._ended or self._answered >= mine, within_s)
            if self._ended and self._answered < mine:
                raise StorageError(
                    "This study is no longer followed: the dashboard ends, or too many others are "
                    "looked at. Load the page again."
                )
            trouble = self._trouble
            if trouble is None and self._answered >= mine:
                self._seen = max(self._seen, change)
        self._looked.set()
        if trouble is not None:
            raise trouble

    @property
    def record(self) -> StudyRecord:
        """What its spec, limits and orders are."""
        return self.found.record

    def see(self, found: Glance) -> None:
        """Take in how it was found, unless another request has found it newer before."""
        if found.change > self.found.change:
            self._changed_s = time.monotonic()
        if found.change >= self.found.change:
            self.found = found

    def is_between(self) -> bool:
        """Whether none of its runs is held only because the last ones have ended a moment ago.

        Raises:
            StorageError: The database cannot be read now.
        """
        if self.found.held or time.monotonic() > self._changed_s + BETWEEN_S:
            return False
        return is_between_runs(self.found.last, held=False) and not {*self.states()} <= FINAL

    @property
    def stand(self) -> Stand:
        """The study as its mirror has it."""
        return Stand(self.record.name, self.record.birth, self.mirror.cursor)

    def columns(self) -> TrialColumns:
        """The mirror's trials; with the lock held."""
        return self._rows.latest()

    def searches(self) -> Sequence[SearchRecord]:
        """The study's searches, in the order of its spec."""
        if not {*self.mirror.trials.searches} <= {one.name for one in self._searches}:
            self._searches = ()
        self._searches = self._searches or self._reader.searches(self.record.id)
        return self._searches

    def parameters(self) -> Mapping[str, Parameter]:
        """The trials' parameters by name, to filter and to sort by; with the lock held."""
        if self._parameters is None or self._parameters[0] != len(self.mirror.trials):
            self._parameters = len(self.mirror.trials), parameters_of(self.mirror.trials.points())
        return self._parameters[1]

    def weightings(self) -> Mapping[str, str]:
        """The weighting of each search, by the search's name."""
        return {one.name: one.weighting for one in self.searches()}

    def titles(self) -> Mapping[str, str]:
        """What each search is called, by its name."""
        return titles_of(self.record.card.get("weightings", {}), self.weightings())

    def processes(self) -> tuple[int, Sequence[WorkerProcess]]:
        """How many workers there were, and the latest of them, the last one first."""
        n_begun = len(self.mirror.workers)
        if self._processes is None or self._processes[0] != n_begun:
            found = self._reader.worker_processes(self.record.id, limit=_MOST_WORKERS)
            self._processes = n_begun, found
        return self._processes[1]

    def totals(self) -> Totals | None:
        """How all runs stand and what they have cost; None until all are known."""
        if not self.is_filled:
            return None
        with self.lock:
            return self.mirror.totals()

    def by_search(self) -> Mapping[str, SearchTotals]:
        """The same of each search that has runs; its device time once all are known."""
        if not self.is_filled:
            found = self._reader.states_by_search(self.record.id)
            return {name: SearchTotals(states=one, device_s=None) for name, one in found.items()}
        with self.lock:
            return self.mirror.by_search()

    def states(self) -> Mapping[RunState, int]:
        """How many runs are in each state; from the database until all are known."""
        return summed_states(self.by_search())

    def beside_runs_s(self) -> float | None:
        """Device-seconds of workers' starts and of calibrations, which are no method's.

        None until all are known.
        """
        if not self.is_filled:
            return None
        with self.lock:
            return self.mirror.idle_s

    def end(self) -> None:
        """Nobody looks any more: end its threads."""
        self._ended = True
        self.measured.end()
        self._looked.set()
        self._over.set()
        with self._answers:
            self._answers.notify_all()

    def join(self, within_s: float) -> None:
        """After the end: wait until nothing is read any more."""
        self._reads.join(within_s)
        self.measured.join(within_s)

    def _measure(self, measure: Measure, runs: Sequence[int]) -> Mapping[int, float]:
        return read(self._reader, self.record.name, [measure], runs)[measure]

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
        if not self.mirror.cursor:
            self._begin()
        more = True
        while more and not self._ended:
            page = self._reader.changes(self.record.name, self.mirror.cursor, limit=_PAGE)
            with self.lock:
                self.mirror.apply(page)
            more = page.more

    def _begin(self) -> None:
        """Read all there is; it has a cursor once it is whole."""
        cursor = self._reader.cursor(self.record.name)
        with self.lock:
            self.mirror.begin(self._reader.decisions(self.record.id))
        self._take_all(self._reader.run_block, self.mirror.take_runs)
        self._take_all(self._reader.attempt_block, self.mirror.take_attempts)
        with self.lock:
            self.parameters()  # reading them takes a while, and nobody waits yet
        self.mirror.cursor = cursor

    def _take_all(self, block: Callable[..., Columns], take: Callable[[Columns], None]) -> None:
        after: int | None = 0
        while after is not None and not self._ended:
            found = block(self.record.id, after=after, limit=_BLOCK)
            ids = next(iter(found.values()))
            after = ids[-1] if ids else None
            with self.lock:
                take(found)

    def _conclude(self) -> None:
        """Draws conclusions anew when somebody has looked and something has changed."""
        while not self._ended:
            self._looked.wait()
            self._looked.clear()
            if self._ended or not (cursor := self.mirror.cursor):
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
                self._over.wait(max(_LEAST_REST_S, _REST * (time.monotonic() - began)))

    def _work_out(self, cursor: str) -> bool:
        """Whether there was anything to work out at this cursor."""
        if self.conclusions is not None and self.conclusions.cursor == cursor:
            return False
        stand = self.stand._replace(cursor=cursor)
        question = Question(about="conclusions", of=(stand,), arguments=(cursor,))
        self.conclusions = self._concluder.ask(question)
        return True
