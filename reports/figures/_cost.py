"""Cost against performance: what each method reaches after spending so much."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from reports._palette import look
from reports._ranking import axis_title, objective_of, reference, short
from reports._titles import weighting_of
from reports.drawing._style import level_line
from reports.drawing._trace import Trace
from reports.drawing._window import Window, window
from reports.figures._curve_traces import Drawn
from reports.figures._labels import Label, end_labels
from reports.figures._menus import axis_menu, relayout_menu, scale_menu
from reports.figures._none import NoFigure
from reports.figures._style import styled
from reports.frames import StudyFrames
from reports.spending.axes import AXES, AxisWords, CostAxis, offered
from reports.spending.curves import (
    BudgetCurve,
    Scoring,
    budget_curve,
    budget_curves,
    why_no_curve,
)

_CHOSEN: dict[Scoring, str] = {
    "cross-fit": "winner chosen on validation",
    "same seed, optimistic": "the same seed chose: optimistic",
}
_HEIGHT_PX = 560
_LABELS_PX = 190
# More bands than a few beside each other, or short ones, are a clump: a line has one where no more
# lines than these are left, if that is such a share of the (logarithmic) axis.
_MOST_BANDS = 3
_BAND_SHARE = 0.2
_LEAST = 1e-12  # a cost of nothing has no logarithm
_PLOT_PX = 420.0  # what axis titles and the legend leave of it


def cost_versus_performance(frames: StudyFrames) -> go.Figure | NoFigure:
    """Test value of the incumbent, chosen on validation, against the cost of finding it.

    One step line a method with its 95 % interval over seeds: as a band where few lines are left,
    and always in its label. The legend switches on the spread over search orders, and what
    tuning on a single seed reaches. Costs in every unit that was recorded.
    """
    axes = offered(frames)
    curves = {axis: budget_curves(frames, axis) for axis in axes}
    shown = curves["solo_s"]
    if not shown:
        return NoFigure(reason=why_no_curve(frames))
    sets = [_traces(frames, curves, axis) for axis in axes]
    words = [_axis_words(frames, axis) for axis in axes]
    objective, level = objective_of(frames), reference(frames, "test")
    values = np.concatenate([[level], *(curve.value for curve in shown)])
    core = np.array([level, *(curve.value[-1] for curve in shown)])
    view = window(values, core=core, sign=objective.sign)
    whole = window(values, core=np.array([]), sign=objective.sign)
    labels = _labels(frames, shown, view)
    return styled(
        go.Figure(sets[0]),
        height=_HEIGHT_PX,
        xaxis={
            "type": "log",
            "title": {"text": words[0].title},
            "nticks": 5,
            "tickformat": ",~r",
        },
        yaxis={
            "title": {"text": f"{axis_title(objective, 'Test')} ({_CHOSEN[shown[0].scoring]})"},
            "range": [view.low, view.high],
        },
        shapes=level_line(level),
        annotations=[*labels, *_words(view, level)],
        updatemenus=[
            axis_menu(sets, words),
            scale_menu(),
            *_zoom_menu(labels, _labels(frames, shown, whole), view, whole, level),
        ],
        margin={"l": 12, "r": _LABELS_PX, "t": 132, "b": 100},
        meta={"wide": _fit(len(labels), wide=True), "narrow": _fit(len(labels), wide=False)},
    )


def _axis_words(frames: StudyFrames, axis: CostAxis) -> AxisWords:
    """Where every run was trained alone, both device times are one."""
    words = AXES[axis]
    if axis != "solo_s" or frames.packed:
        return words
    return replace(words, label="Device time", title="Method cost in device-seconds")


def _traces(
    frames: StudyFrames, curves: Mapping[CostAxis, Sequence[BudgetCurve]], axis: CostAxis
) -> list[Trace]:
    """Of all methods; the bands are those that have room in device time, whatever the unit is."""
    bands, runs = _bands(curves["solo_s"]), curves["runs"]
    until = max(float(curve.cost[-1]) for curve in curves[axis])
    n_seeds = max(1, len(frames.seeds))
    return [
        trace
        for at, curve in enumerate(curves[axis])
        for trace in Drawn(
            curve=curve,
            of_runs=budget_curve(frames, curve.search, axis=axis, unit="run"),
            look=look(weighting_of(frames, curve.search)),
            n_trials=runs[at].cost / n_seeds,
            until=until,
            band_from=bands[curve.search],
            first=at == 0,
        ).traces()
    ]


def _bands(curves: Sequence[BudgetCurve]) -> dict[str, int]:
    """Of each search the point from which on its interval is drawn: behind the last, for none."""
    spans = {one.search: np.log(np.maximum(one.cost, _LEAST)) for one in curves}
    ends = sorted((float(costs[-1]) for costs in spans.values()), reverse=True)
    whole = ends[0] - min(float(costs[0]) for costs in spans.values())
    begin = ends[_MOST_BANDS] if len(ends) > _MOST_BANDS else -math.inf
    found = {}
    for search, costs in spans.items():
        first = int(np.searchsorted(costs, begin))
        long = first < len(costs) and costs[-1] - costs[first] >= _BAND_SHARE * whole
        found[search] = first if long else len(costs)
    return found


def _labels(
    frames: StudyFrames, curves: Sequence[BudgetCurve], view: Window
) -> list[dict[str, Any]]:
    labels = [
        Label(
            text=f"{curve.title} {short(curve.objective, *_ends_at(curve))}",
            value=float(curve.value[-1]),
            colour=look(weighting_of(frames, curve.search)).colour,
        )
        for curve in curves
    ]
    return end_labels(labels, low=view.low, high=view.high, height_px=_PLOT_PX)


def _ends_at(curve: BudgetCurve) -> tuple[float, float]:
    """The last value, and half its interval."""
    value = float(curve.value[-1])
    return value, float(curve.high[-1]) - value


def _words(view: Window, level: float) -> list[dict[str, Any]]:
    """What the dashed line is, which side is better, and what the view leaves out."""
    shared = {"xref": "paper", "x": 1, "xanchor": "right", "showarrow": False, "font": {"size": 12}}
    lower = view.sign > 0
    named = {"text": "STL (single-task networks)", "yanchor": "bottom" if lower else "top"}
    side = "↓ below" if lower else "↑ above"
    told = {"text": f"{side} = better than single-task", "yanchor": "top" if lower else "bottom"}
    words = [shared | word | {"y": level} for word in (named, told) if not math.isnan(level)]
    if view.n_cut:
        points = "point lies" if view.n_cut == 1 else "points lie"
        mark, beyond = ("▲", "above") if lower else ("▼", "below")
        text = f"{mark} {view.n_cut} {points} {beyond} this view"
        words.append(
            shared | {"text": text, "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 2}
        )
    return words


def _zoom_menu(
    near: list[dict[str, Any]],
    far: list[dict[str, Any]],
    view: Window,
    whole: Window,
    level: float,
) -> list[dict[str, Any]]:
    """Buttons for the view and for all values, if they differ; the labels move along."""
    if not view.n_cut:
        return []
    note = f"annotations[{len(near) + len(_words(view, level)) - 1}].visible"
    return [
        relayout_menu(
            "Range of values",
            {
                "Main part": _range(view, near) | {note: True},
                "All values": _range(whole, far) | {note: False},
            },
        )
    ]


def _range(view: Window, labels: list[dict[str, Any]]) -> dict[str, Any]:
    moved = {
        f"annotations[{at}].{name}": label[name]
        for at, label in enumerate(labels)
        for name in ("text", "y", "yshift")
    }
    return {"yaxis.range": [view.low, view.high], **moved}


def _fit(n_labels: int, *, wide: bool) -> dict[str, Any]:
    """Layout changes for a wide or a narrow page: no room for direct labels on a phone."""
    labels = {f"annotations[{at}].visible": wide for at in range(n_labels)}
    return labels | {"margin.r": _LABELS_PX if wide else 8, "margin.t": 24}
