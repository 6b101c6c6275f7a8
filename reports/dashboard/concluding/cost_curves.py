"""Cost and performance as plain values: each method's curve, and the table at a budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from reports import StudyFrames
from reports._palette import method_colour
from reports._ranking import number, objective_of
from reports._titles import weighting_of
from reports.comparing.wording import span
from reports.inference import Interval
from reports.spending import equal_budgets, not_held_said
from reports.spending.axes import AXES, CostAxis, offered
from reports.spending.budget import Budget
from reports.spending.measured import (
    Measure,
    MeasuredCurve,
    measure_of,
    measured_curves,
    measures,
)

_MOST_POINTS: Final = 400
"""Points of a curve that a picture has room for."""

_CHOSEN_BY: Final = "test"


def told_by(frames: StudyFrames) -> list[tuple[str, str]]:
    """What curves can be told by: keys and titles, the usual one first."""
    return [(one.key, one.title) for one in measures(frames)]


def curves(frames: StudyFrames, axis: CostAxis, key: str) -> Mapping[str, Any]:
    """Each method's curve as steps, ready to be drawn.

    Raises:
        UnknownMeasure: Winners cannot be told by that.
    """
    measure = measure_of(frames, key)
    found = measured_curves(frames, axis, measure)
    low, high = _ends(found)
    return {
        "kind": "steps",
        "x": AXES[axis].title,
        "y": measure.title,
        "log": True,
        "signed": measure.objective.shown.startswith("+"),
        "from": low,
        "to": high,
        "said": [_budget(axis, low, high, place).said for place in range(101)],
        "series": [_series(frames, curve) for curve in found],
    }


def at_budget(frames: StudyFrames, axis: str, place: int, key: str) -> dict[str, Any] | None:
    """What each method has reached at a place of the cost axis, in hundredths of its length.

    None while no method has a curve.

    Raises:
        UnknownMeasure: Winners cannot be told by that.
    """
    measure = measure_of(frames, key)
    known = [one for one in offered(frames) if one == axis]
    found = measured_curves(frames, known[0], measure) if known else ()
    if not found:
        return None
    low, high = _ends(found)
    budget = _budget(known[0], low, high, place)
    rows = _ranked(frames, budget) if key == _CHOSEN_BY else _told(found, budget, measure)
    note = not_held_said(frames)
    return {"said": budget.said, "of": measure.title, "rows": rows, "note": note}


def _budget(axis: CostAxis, low: float, high: float, place: int) -> Budget:
    """What a place of the cost axis stands for."""
    return Budget(amount=low * (high / low) ** (place / 100), axis=axis)


def interval_said(frames: StudyFrames, interval: Interval | None) -> str:
    """``−1.2 to +0.4``; a dash for none."""
    return "–" if interval is None else span(objective_of(frames), interval)


def _ranked(frames: StudyFrames, budget: Budget) -> list[dict[str, str]]:
    """What `weighbridge compare --budget` says."""
    objective = objective_of(frames)
    return [
        {
            "title": one.title,
            "value": "–" if one.rank is None else number(objective, one.value),
            "interval": interval_said(frames, one.interval),
            "whole": one.share_said,
        }
        for one in equal_budgets(frames, [budget])[0].methods
    ]


def _told(found: Sequence[MeasuredCurve], budget: Budget, measure: Measure) -> list[dict[str, str]]:
    """By another measure, the best first; nothing tells intervals of these."""
    reached = [(curve, curve.at(budget.amount)) for curve in found]
    reached.sort(
        key=lambda one: math.inf if math.isnan(one[1]) else measure.objective.sign * one[1]
    )
    return [
        {
            "title": curve.title,
            "value": "–" if math.isnan(value) else number(measure.objective, value),
            "interval": "–",
            "whole": "all" if curve.cost[-1] <= budget.amount * (1 + 1e-9) else "a part",
        }
        for curve, value in reached
    ]


def _ends(found: Sequence[MeasuredCurve]) -> tuple[float, float]:
    """The least and the greatest cost of any curve."""
    costs = [cost for curve in found for cost in (curve.cost[0], curve.cost[-1])]
    positive = [float(cost) for cost in costs if cost > 0]
    return (min(positive), max(positive)) if positive else (1.0, 1.0)


def _series(frames: StudyFrames, curve: MeasuredCurve) -> dict[str, Any]:
    at = np.unique(np.linspace(0, len(curve.cost) - 1, _MOST_POINTS).round().astype(int))
    return {
        "search": curve.search,
        "name": curve.title,
        "colour": method_colour(weighting_of(frames, curve.search)),
        "x": curve.cost[at].tolist(),
        "y": [None if math.isnan(value) else value for value in curve.value[at].tolist()],
    }
