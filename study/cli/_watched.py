"""What `weighbridge watch` knows of a study: what has changed is read, the rest is remembered."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage import FINAL, RunState, StorageError
from storage.errors import UnknownStudy
from storage.records import (
    Pulse,
    SearchStatus,
    StudyRecord,
    Totals,
    WorkerStatus,
    is_between_runs,
)
from study.cli._watch_events import Event, Told
from study.planning.budget import left

if TYPE_CHECKING:
    from storage import Reader
    from study.cli._watch_answers import Answers

_MOST_WORKERS = 8
_UNPLANNED_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A study at one moment.

    Attributes:
        events: What has happened since the last look.
        left: Of each limit of the study's budget.
        busy: Workers that have begun something and not ended it.
        answers: What takes long to work out, as of a moment ago.
        trouble: Why the database cannot be reached; empty if it can. All else then is as it was.
    """

    study: StudyRecord
    pulse: Pulse
    totals: Totals
    searches: Sequence[SearchStatus]
    left: Mapping[str, float]
    busy: Sequence[WorkerStatus]
    answers: Answers
    events: Sequence[Event] = ()
    trouble: str = ""

    @property
    def is_between(self) -> bool:
        """Whether no run is held only because the last ones have ended a moment ago."""
        pulse = self.pulse
        if self.all_ended or not pulse.trained:
            return False
        return is_between_runs(pulse.last, held=bool(pulse.held))

    @property
    def workers(self) -> Sequence[WorkerStatus]:
        """Those that are at work: none whose driver has died and left its runs behind."""
        return self.busy if self.pulse.alive else ()

    @property
    def ended(self) -> int:
        """Runs that have ended."""
        return sum(n for state, n in self.totals.states.items() if state in FINAL)

    @property
    def failed(self) -> int:
        """Runs that failed."""
        return self.totals.states.get(RunState.FAILED, 0)

    @property
    def all_ended(self) -> bool:
        """Whether all runs that there are have ended; more may be proposed."""
        return 0 < self.ended == sum(self.totals.states.values())

    @property
    def over(self) -> bool:
        """Whether nothing more is to be trained."""
        told = self.answers.over
        if not self.all_ended or told.change != self.pulse.change:
            return False
        if told.value is None and self.pulse.last is not None:  # its plan cannot be made here
            return (datetime.now(UTC) - self.pulse.last).total_seconds() > _UNPLANNED_S
        return told.value is True

    @property
    def spent(self) -> str:
        """The budget that has ended it, for a smaller rest than a run takes; empty if none did."""
        if self.pulse.held:
            return ""
        least = {"epochs": self.study.spec.get("training", {}).get("epochs", 1)}
        rests = {k: n for k, n in self.left.items() if k != "trials" or self.all_ended}
        gone = [kind for kind, rest in rests.items() if rest < least.get(kind, 1e-9)]
        return "" if self.over else next(iter(gone), "")


class Watched:
    """One study, followed by its cursor of changes, whatever it is renamed to meanwhile.

    Args:
        back: How many of the changes before are told, too.

    Attributes:
        rest: After each look so many times what it took, so that it takes a tenth of the time.
    """

    rest = 9.0

    def __init__(self, reader: Reader, study: StudyRecord, *, back: int = 0) -> None:
        self._reader, self._study = reader, study
        self._told = Told(study)
        self._cursor = reader.cursor(study.name, back=back)
        self._rest_until_s = 0.0
        self._last: Look | None = None

    def look(self, answers: Answers) -> Look:
        """How it stands now; the same as before where nothing is new.

        Raises:
            UnknownStudy: It has been deleted.
        """
        if self._last is not None and time.monotonic() < self._rest_until_s:
            return replace(self._last, answers=answers, events=())
        began_s = time.monotonic()
        try:
            seen = self._seen(answers)
        except UnknownStudy:
            if not self._renamed():
                raise
            seen = self._seen(answers)
        except StorageError as error:
            if self._last is None:
                raise
            return replace(self._last, answers=answers, events=(), trouble=str(error))
        self._last = seen
        now_s = time.monotonic()
        self._rest_until_s = now_s + self.rest * (now_s - began_s)
        return seen

    def _seen(self, answers: Answers) -> Look:
        reader, name = self._reader, self._study.name
        events: list[Event] = []
        before, more = self._cursor, True
        while more:
            page = reader.changes(name, self._cursor)
            events += self._told.of(page, datetime.now(UTC))
            self._cursor, more = page.cursor, page.more
        last = self._last
        if last is not None and before == self._cursor:
            # leases run out without a change
            pulse = reader.pulse(self._study.id)
            if pulse.change == last.pulse.change:
                return replace(last, pulse=pulse, answers=answers, events=(), trouble="")
        with reader.one_moment():  # or they contradict each other
            self._study = reader.study(name)
            study_id = self._study.id
            totals = reader.totals(study_id)
            _, workers = reader.worker_status(study_id, limit=_MOST_WORKERS)
            return Look(
                study=self._study,
                pulse=reader.pulse(study_id),
                totals=totals,
                searches=reader.search_status(study_id),
                left=left(self._study.spec, totals),
                busy=[worker for worker in workers if worker.busy],
                answers=answers,
                events=sorted(events, key=lambda event: event.at),
            )

    def _renamed(self) -> bool:
        """Whether the study is there under another name."""
        same = [one for one in self._reader.studies() if one.birth == self._study.birth]
        if same:
            self._study = same[0]
        return bool(same)


def plain_of(look: Look, *, state: str) -> dict[str, Any]:
    """JSON-ready values of a look.

    Args:
        state: Of the study, in a word.
    """
    totals = look.totals
    return {
        "study": look.study.name,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "state": state,
        "states": {state.value: totals.states.get(state, 0) for state in RunState},
        "device_s": totals.device_s,
        "money": totals.money,
        "epochs": totals.epochs,
        "trials": totals.trials,
        "budget_left": dict(look.left),
        "headline": look.answers.headline,
        "forecast": look.answers.forecast,
        "searches": [
            {
                "search": one.search,
                "states": {state.value: one.states.get(state, 0) for state in RunState},
                "epochs": one.epochs_done,
                "device_s": one.device_s,
                "money": one.money,
            }
            for one in look.searches
        ],
        "workers": [
            {"worker": one.worker, "host": one.host, "device": one.device, "runs": list(one.runs)}
            for one in look.workers
        ],
        "events": [event.to_plain() for event in look.events],
        "trouble": look.trouble or None,
    }
