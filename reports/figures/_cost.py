"""Cost against performance: what each method reaches after spending so much."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from reports._titles import weighting_of
from reports.curves import Axis, BudgetCurve, budget_curve
from reports.figures._curve_traces import curve_traces
from reports.figures._labels import Label, end_labels
from reports.figures._none import NoFigure
from reports.figures._palette import look
from reports.figures._style import styled, zero_line
from reports.figures._window import Window, window
from reports.frames import StudyFrames

Curves = Mapping[Axis, Sequence[BudgetCurve]]

_AXES: dict[Axis, tuple[str, str]] = {
    "device_s": ("Device-seconds", "Method cost in device-seconds"),
    "epochs": ("Epochs", "Epochs trained"),
    "runs": ("Runs", "Runs (trials × seeds)"),
}
_HEIGHT_PX = 560
_PLOT_PX = 420.0  # what axis titles and the legend leave of it


def cost_versus_performance(frames: StudyFrames) -> go.Figure | NoFigure:
    """Test delta_m of the incumbent, chosen on validation, against the cost of finding it.

    One step line a method with the spread over seeds as a band; the spread over search orders is
    a dotted outline that the legend switches on. Costs in device-seconds, epochs or runs.
    """
    curves: Curves = {axis: _curves(frames, axis) for axis in _AXES}
    shown = curves["device_s"]
    if not shown:
        return NoFigure(reason="No trial has all its seeds and a baseline to compare with yet.")
    traces = [trace for axis in _AXES for trace in _traces(frames, curves, axis)]
    view = _window(shown)
    labels = _labels(frames, shown, view)
    return styled(
        go.Figure(traces),
        height=_HEIGHT_PX,
        xaxis={
            "type": "log",
            "title": {"text": _AXES["device_s"][1]},
            "nticks": 5,
            "tickformat": ",~r",
        },
        yaxis={
            "title": {"text": "Test Δm in % (winner chosen on validation)"},
            "range": [view.low, view.high],
        },
        shapes=[zero_line()],
        annotations=[*labels, *_words(view)],
        updatemenus=_menus(len(traces) // len(_AXES), traces, view),
        margin={"l": 12, "r": 150, "t": 96, "b": 100},
        meta={"wide": _fit(len(labels), wide=True), "narrow": _fit(len(labels), wide=False)},
    )


def _curves(frames: StudyFrames, axis: Axis) -> list[BudgetCurve]:
    found = (budget_curve(frames, search, axis=axis) for search in frames.searches)
    return [curve for curve in found if curve is not None]


def _traces(frames: StudyFrames, curves: Curves, axis: Axis) -> list[go.Scatter]:
    until = max(float(curve.cost[-1]) for curve in curves[axis])
    n_seeds = max(1, len(frames.seeds))
    traces = [
        trace
        for at, (curve, runs) in enumerate(zip(curves[axis], curves["runs"], strict=True))
        for trace in curve_traces(
            curve,
            look=look(weighting_of(frames, curve.search)),
            n_trials=runs.cost / n_seeds,
            until=until,
            first=at == 0,
        )
    ]
    for trace in traces if axis != "device_s" else ():
        trace.visible = False
    return traces


def _window(curves: Sequence[BudgetCurve]) -> Window:
    """Best and last values are the core; zero belongs to it, since it is what all is about."""
    values = np.concatenate([[0.0], *(curve.value for curve in curves)])
    return window(values, core=np.array([0.0, *(curve.value[-1] for curve in curves)]))


def _labels(
    frames: StudyFrames, curves: Sequence[BudgetCurve], view: Window
) -> list[dict[str, Any]]:
    labels = [
        Label(
            text=f"{curve.title} " + f"{curve.value[-1]:+.1f}".replace("-", "−"),
            value=float(curve.value[-1]),
            colour=look(weighting_of(frames, curve.search)).colour,
        )
        for curve in curves
    ]
    return end_labels(labels, low=view.low, high=view.high, height_px=_PLOT_PX)


def _words(view: Window) -> list[dict[str, Any]]:
    """What the zero line is, which side is better, and what the view leaves out."""
    shared = {"xref": "paper", "x": 1, "xanchor": "right", "showarrow": False, "font": {"size": 12}}
    words = [
        shared | {"text": "STL (single-task networks)", "y": 0, "yanchor": "bottom"},
        shared | {"text": "↓ below = better than single-task", "y": 0, "yanchor": "top"},
    ]
    if view.n_cut:
        text = f"▲ {view.n_cut} points lie above this view"
        words.append(
            shared | {"text": text, "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 2}
        )
    return words


def _fit(n_labels: int, *, wide: bool) -> dict[str, Any]:
    """Layout changes for a wide or a narrow page: no room for direct labels on a phone."""
    labels = {f"annotations[{at}].visible": wide for at in range(n_labels)}
    return labels | {"margin.r": 150 if wide else 8, "margin.t": 24}


def _menus(n_each: int, traces: Sequence[go.Scatter], view: Window) -> list[dict[str, Any]]:
    axes = [
        {
            "label": label,
            "method": "update",
            "args": [
                {"visible": _visible(traces, at * n_each, n_each)},
                {"xaxis.title.text": title, "xaxis.autorange": True},
            ],
        }
        for at, (label, title) in enumerate(_AXES.values())
    ]
    scales = [_relayout(f"{name} scale", {"xaxis.type": kind}) for name, kind in _SCALES]
    menus = [_menu("Cost axis", axes, 0), _menu("Scale of the cost axis", scales, 1)]
    if view.n_cut:
        zoom = _relayout("Main part", {"yaxis.range": [view.low, view.high]})
        whole = _relayout("All values", {"yaxis.autorange": True})
        menus.append(_menu("Range of values", [zoom, whole], 2))
    return menus


_SCALES = (("Log", "log"), ("Linear", "linear"))


def _visible(traces: Sequence[go.Scatter], start: int, n: int) -> list[bool | str]:
    """Visibility of all traces when the `n` from `start` on are the ones to see."""
    on: list[bool | str] = ["legendonly" if t.legendgroup == "orders" else True for t in traces]
    return [state if start <= at < start + n else False for at, state in enumerate(on)]


def _relayout(label: str, change: dict[str, Any]) -> dict[str, Any]:
    return {"label": label, "method": "relayout", "args": [change]}


def _menu(name: str, buttons: list[dict[str, Any]], row: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "buttons",
        "direction": "right",
        "buttons": buttons,
        "x": (0, 0.42, 0.72)[row],
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "pad": {"b": 24, "t": 0, "l": 0, "r": 0},
        "font": {"size": 12},
    }
