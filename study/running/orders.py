"""What commands from outside want of a driver under way: it looks every two seconds, at one row."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from storage.records import AuditEntry, StudyRecord
from study.commands import command_line
from study.errors import StudyPaused
from study.planning.budget import raised_said, rebudgeted
from study.planning.plan import Plan

if TYPE_CHECKING:
    from storage import Storage

_LOOK_S = 2.0
_MOST_ENTRIES = 100


def refuse_paused(study: StudyRecord, storage: str) -> None:
    """Refuse to begin work on a study that is paused.

    Raises:
        StudyPaused: It is.
    """
    if study.paused_at is not None:
        resume = command_line("resume", study.name, storage=storage)
        raise StudyPaused(
            f"The study {study.name!r} has been paused since "
            f"{study.paused_at.astimezone():%Y-%m-%d %H:%M}. `{resume}` lets it go on; then run it "
            "again."
        )


class StudyOrders:
    """Follows the commands to one study: pause, resume, stop, another budget.

    Args:
        study: As it was when this driver began; what was ordered before is not followed.
        say: Told what has been ordered, and by whom.

    Attributes:
        paused: No run is to be handed out, and what is in training is to be saved.
        stopped: The driver is to end as on Ctrl-C.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        study: StudyRecord,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan, self._storage, self._study = plan, storage, study
        self._say, self._clock = say, clock
        self._number, self._stops = study.orders, study.stops
        self._told = max((entry.number for entry in storage.audit(limit=1)), default=0)
        self._looked_s = clock()
        self.paused, self.stopped = study.paused, False

    def look(self) -> Plan | None:
        """Take in new orders; the plan with its new budgets, if they have changed.

        Raises:
            StudyChanged: The study is gone.
        """
        now_s = self._clock()
        if now_s - self._looked_s < _LOOK_S:
            return None
        self._looked_s = now_s
        found = self._storage.orders(self._study.id)
        if found.number == self._number:
            return None
        self._number, self.paused = found.number, found.paused
        self.stopped = found.stops != self._stops
        return self._follow(self._storage.stored(self._study.id))

    def _follow(self, study: StudyRecord) -> Plan | None:
        for entry in self._storage.audit(study.name, limit=_MOST_ENTRIES):
            if entry.number > self._told:
                self._told = entry.number
                if said := self._said(entry):
                    self._say(said)
        if study.plan != self._study.plan:
            return None  # it was extended: what this driver proposes next will be refused
        plan = rebudgeted(self._plan, study)
        if plan == self._plan:
            return None
        self._plan = plan
        return plan

    def _said(self, entry: AuditEntry) -> str:
        """An order in words; empty for what drivers do not follow."""
        if entry.verb == "pause":
            resume = command_line("resume", entry.study, storage=self._storage.url)
            return (
                f"Paused by {entry.who}: workers save what they train at the end of its epoch, and "
                f"wait. `{resume}` lets them go on."
            )
        if entry.verb == "resume":
            return f"Resumed by {entry.who}."
        if entry.verb == "stop":
            return f"Stopped by {entry.who}."
        if entry.verb == "raise budget":
            return f"{raised_said(entry.before, entry.after)}, by {entry.who}."
        return ""
