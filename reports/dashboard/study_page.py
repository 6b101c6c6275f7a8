"""A study's overview: the verdict, progress, and what each method has reached for what it cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports._palette import method_colour
from reports._ranking import axis_title, number, objective_of
from reports._titles import weighting_of
from reports.comparing.rows import MethodRow
from reports.dashboard.following import Conclusions, Followed
from reports.dashboard.pages import unchanged
from reports.dashboard.site import PATIENCE_S, Site, state_of
from reports.frames import StudyFrames
from reports.inference import Interval
from reports.spending import equal_budgets
from reports.spending.axes import AXES, CostAxis, offered
from reports.spending.budget import Budget
from reports.spending.curves import BudgetCurve, budget_curves
from reports.trials import best_sentence
from storage import RunState
from storage.notices import notices
from storage.records import SearchStatus, StudyRecord, Totals
from storage.states import FINAL
from storage.wording import duration

_MOST_POINTS: Final = 400
"""Points of a curve that a picture has room for."""

_BUDGET_UNITS: Final = {"trials": "trials", "epochs": "epochs", "money": "of money"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodProgress:
    """A search as the overview shows it."""

    search: str
    title: str
    colour: str
    value: str
    interval: str
    finished: int
    runs: int
    device_s: float


def study_page(site: Site, request: Request) -> Response:
    """The overview.

    Raises:
        NotThere: There is no such study.
    """
    record = site.record(request)
    study = site.followed(record)
    study.catch_up(within_s=PATIENCE_S)
    drawn = study.conclusions
    cursor = f"{study.mirror.cursor}_{drawn.cursor if drawn else ''}{len(study.undrawn)}"
    if (nothing_new := unchanged(request, cursor)) is not None:
        return nothing_new
    totals = site.reader.totals(record.id)
    searches = site.reader.search_status(record.id)
    context = {
        "study": record,
        "tab": "",
        "of_function": record.card.get("kind") == "function",
        "state": state_of(dict(totals.states)),
        "finished": sum(n for state, n in totals.states.items() if state in FINAL),
        "runs": sum(totals.states.values()),
        "device_s": totals.device_s,
        "budget_left": list(_left(record, totals)),
        "last": site.reader.last_event(record.id),
        "notices": notices(record.spec, sealed=record.sealed),
        "undrawn": study.undrawn,
        "waiting": "The first conclusions are being drawn.",
        **_concluded(record, study, drawn, searches),
        **_at_budget(drawn, request),
    }
    return site.pages.answer(request, "study", context, cursor=cursor)


def curves_json(site: Site, request: Request) -> Response:
    """Each method's curve in one unit of cost, as steps; none before conclusions are drawn.

    Raises:
        NotThere: There is no such study.
    """
    drawn = _conclusions(site, request)
    axis = _axis(drawn.frames, request) if drawn else None
    if drawn is None or axis is None:
        return JSONResponse({"series": []})
    curves = budget_curves(drawn.frames, axis)
    low, high = _costs(curves)
    return JSONResponse(
        {
            "kind": "steps",
            "x": AXES[axis].title,
            "y": axis_title(objective_of(drawn.frames), "Test"),
            "log": True,
            "from": low,
            "to": high,
            "series": [_series(drawn.frames, curve) for curve in curves],
        }
    )


def at_budget(site: Site, request: Request) -> Response:
    """The table of all methods at a budget, for a slider that moves.

    Raises:
        NotThere: There is no such study.
    """
    return site.pages.fragment("at_budget", _at_budget(_conclusions(site, request), request))


def _conclusions(site: Site, request: Request) -> Conclusions | None:
    """Those about methods; None before they are drawn, and of a training function."""
    study = site.followed(site.record(request))
    study.catch_up(within_s=PATIENCE_S)
    drawn = study.conclusions
    return drawn if drawn and drawn.comparison else None


def _concluded(
    record: StudyRecord,
    study: Followed,
    drawn: Conclusions | None,
    searches: Sequence[SearchStatus],
) -> dict[str, Any]:
    """What the report says so far."""
    comparison = drawn.comparison if drawn else None
    rows = {row.search: row for row in comparison.rows} if comparison else {}
    objective = record.spec.get("objective") or "Δm against single-task networks in percent"
    sentence = comparison.sentence if comparison else ""
    if drawn and drawn.searches:
        sentence = best_sentence(list(drawn.searches))
    frames = drawn.frames if drawn and comparison else None
    return {
        "sentence": sentence,
        "objective": objective[0].upper() + objective[1:],
        "methods": [_method(study, status, rows, frames) for status in searches],
        "notes": drawn.notes if drawn else (),
        "axes": [(axis, AXES[axis].label) for axis in offered(frames)] if frames else [],
    }


def _method(
    study: Followed,
    status: SearchStatus,
    rows: Mapping[str, MethodRow],
    frames: StudyFrames | None,
) -> MethodProgress:
    states: Counter[RunState] = Counter(status.states)
    row = rows.get(status.search)
    known = row is not None and not math.isnan(row.value_test) and frames is not None
    return MethodProgress(
        search=status.search,
        title=row.title if row else status.search,
        colour=method_colour(study.weightings().get(status.search, status.search)),
        value=number(objective_of(frames), row.value_test) if known and frames and row else "–",
        interval=_interval(frames, row.interval) if known and frames and row else "–",
        finished=sum(n for state, n in states.items() if state in FINAL),
        runs=states.total(),
        device_s=status.device_s,
    )


def _interval(frames: StudyFrames, interval: Interval | None) -> str:
    if interval is None:
        return "–"
    objective = objective_of(frames)
    return f"{number(objective, interval.low)} to {number(objective, interval.high)}"


def _left(record: StudyRecord, totals: Totals) -> Iterator[str]:
    """Each budget of the spec, and what is left of it."""
    spent = {
        "trials": totals.trials,
        "epochs": totals.epochs,
        "device_s": totals.device_s,
        "money": totals.money or 0.0,
    }
    for kind, most in record.spec["budget"].items():
        if most is None or kind not in spent:
            continue
        left = max(most - spent[kind], 0)
        if kind == "device_s":
            yield f"{duration(left)} of {duration(most)}"
        else:
            yield f"{left:,.10g} of {most:,.10g} {_BUDGET_UNITS[kind]}"


def _axis(frames: StudyFrames, request: Request) -> CostAxis | None:
    """The unit of cost that is asked for, or else the first that the study has."""
    known = offered(frames)
    asked = [axis for axis in known if axis == request.query_params.get("axis")]
    return next(iter([*asked, *known]), None)


def _costs(curves: Sequence[BudgetCurve]) -> tuple[float, float]:
    """The least and the greatest cost of any curve."""
    costs = [cost for curve in curves for cost in (curve.cost[0], curve.cost[-1])]
    positive = [float(cost) for cost in costs if cost > 0]
    return (min(positive), max(positive)) if positive else (1.0, 1.0)


def _at_budget(drawn: Conclusions | None, request: Request) -> dict[str, Any]:
    """All methods at the budget that the slider is at, in hundredths of the cost axis."""
    text = request.query_params.get("budget", "100")
    place = min(max(int(text), 0), 100) if text.isdecimal() else 100
    empty = {"axis": None, "budget": place, "at_budget": None}
    if drawn is None or drawn.comparison is None:
        return empty
    axis = _axis(drawn.frames, request)
    curves = budget_curves(drawn.frames, axis) if axis else ()
    if axis is None or not curves:
        return empty | {"axis": axis}
    low, high = _costs(curves)
    budget = Budget(amount=low * (high / low) ** (place / 100), axis=axis)
    found = equal_budgets(drawn.frames, [budget])
    rows = [
        {
            "title": one.title,
            "value": "–" if one.rank is None else number(objective_of(drawn.frames), one.value),
            "interval": _interval(drawn.frames, one.interval),
            "whole": one.share_said,
        }
        for one in found[0].methods
    ]
    return empty | {"axis": axis, "at_budget": {"said": budget.said, "rows": rows}}


def _series(frames: StudyFrames, curve: BudgetCurve) -> dict[str, Any]:
    at = np.unique(np.linspace(0, len(curve.cost) - 1, _MOST_POINTS).round().astype(int))
    return {
        "name": curve.title,
        "colour": method_colour(weighting_of(frames, curve.search)),
        "x": curve.cost[at].tolist(),
        "y": [None if math.isnan(value) else value for value in curve.value[at].tolist()],
    }
