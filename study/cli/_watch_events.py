"""What has happened in a study, in words: runs that ended, stages decided, workers lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage import FINAL, RunState
from storage.objectives import Objective, named, of_card, title_of
from storage.records import Changes, DecisionChange, RunChange, StudyRecord

_STL = "stl/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        at: When it happened or, where that is not recorded, when it was seen.
        kind: ``done``, ``diverged``, ``pruned``, ``failed``, ``decided``, ``lost`` or ``anew``.
        run: The run that it is about; None of others than runs.
    """

    at: datetime
    kind: str
    text: str
    run: int | None = None

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        at = self.at.isoformat(timespec="milliseconds")
        return {"at": at, "kind": self.kind, "run": self.run, "text": self.text}


class Told:
    """What has been told, so that a page which repeats it is not."""

    def __init__(self, study: StudyRecord) -> None:
        self._objective = _objective(study)
        self._ended: dict[int, RunState] = {}
        self._others: set[tuple[str, int]] = set()

    def of(self, page: Changes, now: datetime) -> Iterator[Event]:
        """What a page of changes tells that is new."""
        if page.anew:
            self._ended.clear()
            self._others.clear()
            yield Event(at=now, kind="anew", text="the study was made anew, or the database copied")
        ends = {one.run: one.ended for one in page.attempts if one.ended is not None}
        for run in page.runs:
            if run.state not in FINAL:
                self._ended.pop(run.run, None)  # it is tried again
            elif self._ended.get(run.run) is not run.state:
                self._ended[run.run] = run.state
                at = ends.get(run.run, now)
                yield Event(at=at, kind=run.state.value, text=self._end(run), run=run.run)
        for attempt in page.attempts:
            if attempt.state == "lost" and self._first("lost", attempt.attempt):
                what = "a worker" if attempt.run is None else f"the worker of run {attempt.run}"
                text = f"{what} was lost: {attempt.failure or 'no reason is known'}"
                yield Event(at=attempt.ended or now, kind="lost", text=text, run=attempt.run)
        for decision in page.decisions:
            if decision.standing and self._first("decided", decision.decision):
                yield Event(at=decision.decided, kind="decided", text=self._decided(decision))

    def _first(self, kind: str, number: int) -> bool:
        known_before = (kind, number) in self._others
        self._others.add((kind, number))
        return not known_before

    def _end(self, run: RunChange) -> str:
        who = f"run {run.run} ({run.search}, trial {run.trial}, seed {run.seed})"
        if run.state is RunState.DONE:
            value = "" if run.value_val is None else f", {self._value(run.search, run.value_val)}"
            return f"{who} is done after {run.epochs} epochs{value}"
        after = f" after {run.epochs} epochs" if run.state is not RunState.FAILED else ""
        reason = f": {run.reason.splitlines()[0]}" if run.reason else ""
        return f"{who} {_ENDED[run.state]}{after}{reason}"

    def _decided(self, decision: DecisionChange) -> str:
        value = f"{decision.value:.4g}"
        if self._objective is not None and decision.objective == self._objective.name:
            value = _shown(self._objective, decision.value)
        return (
            f"{decision.search}: stage {decision.stage + 1} is decided for trial {decision.trial} "
            f"({title_of(decision.objective)} {value} on validation)"
        )

    def _value(self, search: str, value: float) -> str:
        objective = self._objective
        if objective is None or _STL in search:
            return f"{value:.4g} on validation"
        return f"{objective.title} {_shown(objective, value)} on validation"


_ENDED = {
    RunState.DIVERGED: "diverged",
    RunState.PRUNED: "was pruned",
    RunState.FAILED: "failed",
}


def _shown(objective: Objective, value: float) -> str:
    return f"{value:{objective.shown}} {objective.unit}".rstrip()


def _objective(study: StudyRecord) -> Objective | None:
    """What its searches are ranked by; None of a card that says too little, as old ones do."""
    return of_card(study.card).get(named(study.spec.get("objective"))[0])
