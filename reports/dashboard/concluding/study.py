"""What the report would say of a study, as plain values: worked out in a process of its own.

A large study's frames take hundreds of megabytes and seconds of processor time. In a process beside
the server they keep no page waiting, and their memory is given back when that process ends.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from reports import ReportError, StudyFrames, compare, fair_play_notes, load, merged
from reports._ranking import number, objective_of
from reports.claims import Effect, claims_of_one
from reports.comparing.answer import Answer, answer
from reports.comparing.optimizers_said import optimizers_said
from reports.comparing.rows import MethodRow
from reports.dashboard.concluding.conclusions import (
    QUICK,
    ClaimSaid,
    Conclusions,
    MethodSaid,
    Question,
    Stand,
)
from reports.dashboard.concluding.cost_curves import at_budget, curves, interval_said, told_by
from reports.dashboard.concluding.studies import compared
from reports.dashboard.concluding.views import (
    conflicts_picture,
    curves_picture,
    importances_of,
    task_metrics,
    weights_picture,
)
from reports.errors import NoTable
from reports.importances import Estimators
from reports.spending import equal_budgets
from reports.spending.axes import AXES, offered
from reports.trials import best_sentence, trials
from storage import Reader, StorageError


def conclude(frames: StudyFrames, cursor: str) -> Conclusions:
    """Everything but what a budget asks for."""
    if frames.of_function:
        return Conclusions(cursor=cursor, sentence=best_sentence(trials(frames)))
    comparison = compare(frames)
    said = answer(frames, comparison, equal_budgets(frames))
    axes, told = offered(frames), told_by(frames)
    return Conclusions(
        cursor=cursor,
        sentence=comparison.sentence,
        answers=_answers(said),
        reading=said.reading if said else "",
        optimizers=list(optimizers_said(comparison.optimizers)) if comparison.optimizers else (),
        methods={row.search: _said(frames, row) for row in comparison.rows},
        notes=[
            (note.kind, ", ".join(note.about), note.text)
            for note in merged(fair_play_notes(frames))
        ],
        axes=[(axis, AXES[axis].label) for axis in axes],
        measures=told,
        curves={axis: curves(frames, axis, told[0][0]) for axis in axes},
    )


def _answers(found: Answer | None) -> list[tuple[str, Sequence[str]]]:
    if found is None:
        return []
    return [
        ("Which method, with how much?", found.which),
        ("How sure is that?", found.sure),
        ("What would make it surer?", found.surer),
    ]


def _said(frames: StudyFrames, row: MethodRow) -> MethodSaid:
    known = not math.isnan(row.value_test)
    return MethodSaid(
        title=row.title,
        value=number(objective_of(frames), row.value_test) if known else "–",
        interval=interval_said(frames, row.interval),
    )


def claims(frames: StudyFrames, estimators: Estimators | None) -> list[ClaimSaid]:
    """What the study says to each claim; nothing if it is sealed, or has no weightings."""
    try:
        found = claims_of_one(frames, estimators)
    except NoTable:
        return []
    return [
        ClaimSaid(
            name=claim.name,
            states=claim.states,
            finding=claim.finding,
            said=claim.said,
            would_decide=claim.would_decide,
            remarks=(*claim.remarks, *(one.sentence for one in claim.importances)),
            effects=[_effect(effect) for effect in claim.effects],
            runs=[run for runs in claim.runs.values() for run in runs],
        )
        for claim in found
    ]


def _effect(effect: Effect) -> tuple[str, str, str]:
    def said(value: float) -> str:
        return f"{value:{effect.shown}} {effect.unit}".strip().replace("-", "−")

    known = effect.interval
    within = "–" if known is None else f"{said(known.low)} to {said(known.high)}"
    return effect.name, said(effect.value) if math.isfinite(effect.value) else "–", within


_ANSWERS: Final[Mapping[str, Callable[..., Any]]] = {
    "conclusions": conclude,
    "budget": at_budget,
    "curves": curves,
    "claims": claims,
    "compared": lambda *given: compared(given[:-1], given[-1]),
    "importances": importances_of,
    "metrics": task_metrics,
    "weights": weights_picture,
    "conflicts": conflicts_picture,
    "learning_curves": curves_picture,
}


_ESTIMATING: Final = ("claims", "importances")
"""Asked for with estimators."""

_MOST_RUNS: Final = 100_000
"""Of studies that are kept together; of the study that was read last all are."""


class _Known(NamedTuple):
    cursor: str
    frames: StudyFrames


class _Answering:
    """Keeps the frames of the studies that were asked about last, for all lanes."""

    def __init__(self, url: str, estimators: str) -> None:
        self._url, self._estimators = url, estimators
        self._lock = threading.Lock()  # of all below, and never held while a study is read
        self._reader: Reader | None = None
        self._known: dict[str, _Known] = {}
        self._turns: dict[str, threading.Lock] = {}

    def answer(self, question: Question) -> Any:
        frames = [self._frames(stand, quick=question.about in QUICK) for stand in question.of]
        more = [self._estimators_found()] if question.about in _ESTIMATING else []
        return _ANSWERS[question.about](*frames, *question.arguments, *more)

    def _estimators_found(self) -> Estimators | None:
        """They load Optuna: nobody else is to wait for it."""
        module, _, name = self._estimators.partition(":")
        found: Estimators | None = getattr(import_module(module), name) if module else None
        return found

    def _frames(self, stand: Stand, *, quick: bool) -> StudyFrames:
        """As of the cursor that is asked about; for what is quick, as they are here by now.

        A study is read by one lane at a time; meanwhile its last frames stay, for what is quick.
        """
        with self._lock:
            turn = self._turns.setdefault(stand.birth, threading.Lock())
        if quick and (known := self._known_of(stand)):
            return known.frames
        with turn:
            known = self._known_of(stand)
            if known and (quick or known.cursor == stand.cursor):
                return known.frames
            return self._read(stand)

    def _known_of(self, stand: Stand) -> _Known | None:
        with self._lock:
            return self._known.get(stand.birth)

    def _read(self, stand: Stand) -> StudyFrames:
        with self._lock:
            if self._reader is None:
                self._reader = Reader(self._url)
        frames = load(self._reader, stand.study)
        with self._lock:
            self._known.pop(stand.birth, None)  # the latest is the last
            self._known[stand.birth] = _Known(stand.cursor, frames)
            while len(self._known) > 1 and self._n_runs() > _MOST_RUNS:
                del self._known[next(iter(self._known))]
        return frames

    def _n_runs(self) -> int:
        return sum(len(one.frames.runs) for one in self._known.values())


def _main(descriptors: Sequence[int]) -> None:
    """Answer questions from pipes, each in a thread, until their other ends are closed.

    The database's URL comes in first, on standard input, with where estimators are found.
    """
    answering = _Answering(*json.loads(sys.stdin.read()))
    lanes = [threading.Thread(target=_answer_on, args=(at, answering)) for at in descriptors]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()


def _answer_on(descriptor: int, answering: _Answering) -> None:
    with suppress(EOFError, ConnectionError), Connection(descriptor) as pipe:
        while True:
            asked = pipe.recv()
            try:
                found = answering.answer(asked)
            except (ReportError, StorageError) as error:
                pipe.send((str(error), None))
            except Exception as error:  # the next question may well have an answer
                pipe.send((f"The report cannot be worked out of this study: {error!r}.", None))
            else:
                pipe.send(("", found))


if __name__ == "__main__":
    _main([int(descriptor) for descriptor in sys.argv[1:]])
