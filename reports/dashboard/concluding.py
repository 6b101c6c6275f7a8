"""What the report would say of a study, as plain values: worked out in a process of its own.

A large study's frames take hundreds of megabytes and seconds of processor time. In a process beside
the server they keep no page waiting, and their memory is given back when that process ends.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from reports import ReportError, StudyFrames, compare, fair_play_notes, load, merged
from reports._palette import method_colour
from reports._ranking import axis_title, number, objective_of
from reports._titles import weighting_of
from reports.claims import Effect, claims_of
from reports.comparing.answer import Answer, answer
from reports.comparing.rows import MethodRow
from reports.dashboard.conclusions import (
    ClaimSaid,
    Conclusions,
    MethodSaid,
    PictureSaid,
    Question,
)
from reports.errors import NoTable
from reports.inference import Interval
from reports.spending import equal_budgets
from reports.spending.axes import AXES, CostAxis, offered
from reports.spending.budget import Budget
from reports.spending.curves import BudgetCurve, budget_curves
from reports.trials import best_sentence, trials
from storage import Reader, StorageError

_MOST_POINTS: Final = 400
"""Points of a curve that a picture has room for."""

_LARGEST: Final = 400_000
_TOO_MUCH: Final = "There are more points than a page should hold; the CSV has them all."


def conclude(frames: StudyFrames, cursor: str) -> Conclusions:
    """Everything but what a budget asks for."""
    if frames.of_function:
        return Conclusions(cursor=cursor, sentence=best_sentence(trials(frames)))
    comparison = compare(frames)
    axes = offered(frames)
    return Conclusions(
        cursor=cursor,
        sentence=comparison.sentence,
        answers=_answers(answer(frames, comparison, equal_budgets(frames))),
        methods={row.search: _said(frames, row) for row in comparison.rows},
        notes=[
            (note.kind, ", ".join(note.about), note.text)
            for note in merged(fair_play_notes(frames))
        ],
        axes=[(axis, AXES[axis].label) for axis in axes],
        curves={axis: _drawn(frames, axis) for axis in axes},
    )


def at_budget(frames: StudyFrames, axis: str, place: int) -> dict[str, Any] | None:
    """What each method has reached at a place of the cost axis, in hundredths of its length.

    None while no method has a curve.
    """
    known = [one for one in offered(frames) if one == axis]
    curves = budget_curves(frames, known[0]) if known else ()
    if not curves:
        return None
    low, high = _ends(curves)
    budget = Budget(amount=low * (high / low) ** (place / 100), axis=known[0])
    objective = objective_of(frames)
    return {
        "said": budget.said,
        "rows": [
            {
                "title": one.title,
                "value": "–" if one.rank is None else number(objective, one.value),
                "interval": _interval(frames, one.interval),
                "whole": one.share_said,
            }
            for one in equal_budgets(frames, [budget])[0].methods
        ],
    }


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
        interval=_interval(frames, row.interval),
    )


def _interval(frames: StudyFrames, interval: Interval | None) -> str:
    if interval is None:
        return "–"
    objective = objective_of(frames)
    return f"{number(objective, interval.low)} to {number(objective, interval.high)}"


def _drawn(frames: StudyFrames, axis: CostAxis) -> dict[str, Any]:
    curves = budget_curves(frames, axis)
    low, high = _ends(curves)
    return {
        "kind": "steps",
        "x": AXES[axis].title,
        "y": axis_title(objective_of(frames), "Test"),
        "log": True,
        "from": low,
        "to": high,
        "series": [_series(frames, curve) for curve in curves],
    }


def _ends(curves: Sequence[BudgetCurve]) -> tuple[float, float]:
    """The least and the greatest cost of any curve."""
    costs = [cost for curve in curves for cost in (curve.cost[0], curve.cost[-1])]
    positive = [float(cost) for cost in costs if cost > 0]
    return (min(positive), max(positive)) if positive else (1.0, 1.0)


def _series(frames: StudyFrames, curve: BudgetCurve) -> dict[str, Any]:
    at = np.unique(np.linspace(0, len(curve.cost) - 1, _MOST_POINTS).round().astype(int))
    return {
        "name": curve.title,
        "colour": method_colour(weighting_of(frames, curve.search)),
        "x": curve.cost[at].tolist(),
        "y": [None if math.isnan(value) else value for value in curve.value[at].tolist()],
    }


def pictures(frames: StudyFrames) -> list[PictureSaid]:
    """The report's other figures, as far as they can be drawn of so many points."""
    from reports.figures import NoFigure  # loads Plotly
    from reports.figures.svg import picture
    from reports.html import closer_look

    found = []
    for item in closer_look(frames):
        figure = item.figure
        if isinstance(figure, NoFigure):
            wide = narrow = figure.reason
        else:
            wide = picture(figure, label=item.title).svg
            narrow = picture(figure, page="narrow", label=item.title).svg
        if len(wide) > _LARGEST:
            wide = narrow = _TOO_MUCH
        said = PictureSaid(
            key=item.key,
            title=item.title,
            seen=item.seen,
            caption=item.caption,
            wide=wide,
            narrow=narrow,
            points=item.points().to_csv(index=False, float_format="%.6g", lineterminator="\n"),
        )
        found.append(said)
    return found


def claims(frames: StudyFrames) -> list[ClaimSaid]:
    """What the study says to each claim; nothing if it is sealed, or has no methods.

    Importances by estimators of Optuna are left to the command line.
    """
    try:
        found = claims_of(frames)
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
    "pictures": pictures,
    "claims": claims,
}


class _Answering:
    """Keeps the frames of the study that was asked about last."""

    def __init__(self, url: str) -> None:
        self._reader = Reader(url)
        self._known: tuple[str, str] | None = None
        self._frames: StudyFrames | None = None

    def answer(self, question: Question) -> Any:
        return _ANSWERS[question.about](self._frames_of(question), *question.arguments)

    def _frames_of(self, question: Question) -> StudyFrames:
        wanted = question.study, question.cursor
        if self._frames is None or self._known != wanted:
            self._frames = None  # before another one takes its place
            self._frames, self._known = load(self._reader, question.study), wanted
        return self._frames


def _main(descriptor: int) -> None:
    """Answer questions from a pipe until its other end is closed: first the database's URL."""
    with suppress(EOFError, ConnectionError), Connection(descriptor) as pipe:
        _answer_on(pipe)


def _answer_on(pipe: Connection) -> None:
    answering: _Answering | None = None
    while True:
        asked = pipe.recv()
        try:
            if answering is None:
                answering, found = _Answering(asked), None
            else:
                found = answering.answer(asked)
        except (ReportError, StorageError) as error:
            pipe.send((str(error), None))
        except Exception as error:  # the next question may well have an answer
            pipe.send((f"The report cannot be worked out of this study: {error!r}.", None))
        else:
            pipe.send(("", found))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
