"""How all studies of a database stand, summed up again only where something has happened."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from storage import Reader, RunState, StorageError
from storage.records import StudyName, StudyRecord, Totals
from storage.states import FINAL

NO_DRIVER: Final = "no driver"
"""The state of a study that runs as far as is recorded, but whose leases nobody renews."""

LAST_S: Final = 5.0
"""In the end a thread that reads is waited for as long: a connection in use cannot be closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A study's runs and costs, and when anything last happened.

    Attributes:
        change: The number of its changes that this is as of.
    """

    change: int
    totals: Totals
    last: datetime | None


class Standings:
    """What was summed up, by study, for as long as its number of changes is the same.

    Of the few studies that a page shows it is summed up at once; of very many, by which a list is
    sorted, by a thread, and who asks goes on with what there is.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, Standing] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._wanted: dict[str, int] = {}
        self._ended = False
        self._thread: threading.Thread | None = None

    def of(self, studies: Iterable[StudyName | StudyRecord]) -> Mapping[int, Standing]:
        """By the study's id.

        Raises:
            StorageError: The database cannot be read now.
        """
        changes = self._reader.change_numbers()  # before what they stand for: never too new
        return {one.id: self._latest(one.birth, one.id, changes.get(one.id, 0)) for one in studies}

    def so_far(self, studies: Sequence[StudyName]) -> Mapping[int, Standing]:
        """By the study's id, those that were summed up; the others follow, and what is not new.

        Raises:
            StorageError: The database cannot be read now.
        """
        changes = self._reader.change_numbers()
        with self._lock:
            known = {one.id: self._known.get(one.birth) for one in studies}
        stale = {
            one.birth: one.id
            for one in studies
            if (found := known[one.id]) is None or found.change != changes.get(one.id, 0)
        }
        if stale:
            with self._changed:
                self._wanted |= stale
                if self._thread is None and not self._ended:
                    self._thread = threading.Thread(target=self._sum_on, daemon=True)
                    self._thread.start()
                self._changed.notify_all()
        return {id_: found for id_, found in known.items() if found is not None}

    def end(self) -> None:
        """Nobody looks any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(LAST_S)

    def _latest(self, birth: str, study_id: int, change: int) -> Standing:
        with self._lock:
            known = self._known.get(birth)
        if known is None or known.change != change:
            totals, last = self._reader.totals(study_id), self._reader.last_event(study_id)
            known = Standing(change=change, totals=totals, last=last)
            with self._lock:
                self._known[birth] = known
        return known

    def _sum_on(self) -> None:
        while wanted := self._next():
            try:
                changes = self._reader.change_numbers()
                for birth, study_id in wanted.items():
                    if not self._ended:
                        self._latest(birth, study_id, changes.get(study_id, 0))
            except StorageError:
                continue  # who looks is told, and asks again

    def _next(self) -> Mapping[str, int]:
        """All that are wanted by now; none in the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._wanted)
            wanted, self._wanted = self._wanted, {}
            return {} if self._ended else wanted


def state_of(
    record: StudyRecord | StudyName,
    states: Mapping[RunState, int],
    *,
    held: bool,
    between: bool = False,
) -> str:
    """A study's state in a word, from its runs by state and whether it hands any out.

    Args:
        held: Whether a driver renews the lease of some run.
        between: Whether none is held as the last ones have ended a moment ago.
    """
    total = sum(states.values())
    if states.get(RunState.LEASED):
        return "running" if held else NO_DRIVER
    if total and sum(n for state, n in states.items() if state in FINAL) == total:
        return "failed" if states.get(RunState.FAILED) else "done"
    if record.paused:
        return "paused"
    return "running" if between and states.keys() - {RunState.WAITING} else "waiting"
