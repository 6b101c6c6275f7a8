"""How the trials of a search went: validation by epoch, of the best ones and of some others."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from reports._curves import objective_curves
from reports._palette import translucent
from reports._ranking import axis_title, better, hover, objective_of
from reports.drawing._trace import Trace, scatter
from reports.drawing._window import window
from reports.figures._none import NoFigure
from reports.figures._style import styled
from reports.frames import StudyFrames
from reports.measures import FloatArray
from reports.trials import SearchTrials, TrialRow, ranked

_BEST, _NEXT, _OTHER = "#d6425c", "#1f77d0", "#7d8590"
_MOST_NEXT = 9
_MOST_OTHERS = 40

Curve = tuple[FloatArray, FloatArray]


def learning_curves(frames: StudyFrames, search: SearchTrials) -> go.Figure | NoFigure:
    """Validation by epoch, mean over the seeds that reached it: the best ten trials, some others.

    The others are every n-th of the rest, by value, so that pruned ones are among them.
    """
    order, shown = _drawn(search)
    others = len(order) - 1 - _MOST_NEXT
    curves = curves_drawn(frames, search)
    if all(len(epochs) < 2 for epochs, _ in curves.values()):
        return NoFigure(reason=f"No trial of `{search.search}` has reported at two steps.")
    objective = objective_of(frames, search.search)
    groups = (
        (shown, f"{len(shown)} of {others} others", translucent(_OTHER, 0.45), 1.0),
        (order[1 : 1 + _MOST_NEXT], "the next best", translucent(_NEXT, 0.8), 1.5),
        (order[:1], "the best", _BEST, 2.8),
    )
    traces = [
        _line(curves[row.number], row, name, {"color": colour, "width": width}, first=at == 0)
        for rows, name, colour, width in groups
        for at, row in enumerate(row for row in rows if row.number in curves)
    ]
    for trace in traces:
        trace["hovertemplate"] = f"%{{text}}, step %{{x}}: {hover(objective, 'y')}<extra></extra>"
    ends = np.array([values[-1] for _, values in curves.values()])
    every = np.concatenate([values for _, values in curves.values()])
    view = window(every, core=ends, sign=objective.sign)
    return styled(
        go.Figure(traces),
        height=420,
        xaxis={"title": {"text": "Step"}, "nticks": 8},
        yaxis={
            "title": {
                "text": f"{axis_title(objective, 'Validation')}, {better(objective)} is better"
            },
            "range": [view.low, view.high],
        },
        margin={"b": 84},
    )


def _drawn(search: SearchTrials) -> tuple[list[TrialRow], list[TrialRow]]:
    """All trials that have begun, best first; and which of those behind the best are drawn."""
    order = [row for row in ranked(search) if row.state != "waiting"]
    others = order[1 + _MOST_NEXT :]
    return order, others[:: max(1, -(-len(others) // _MOST_OTHERS))]


def curves_drawn(frames: StudyFrames, search: SearchTrials) -> Mapping[int, Curve]:
    """By trial its epochs and means over the seeds that reached each; without empty ones."""
    order, shown = _drawn(search)
    rows = [*order[: 1 + _MOST_NEXT], *shown]
    runs = frames.runs_of(search.search)
    runs = runs[runs["trial"].isin([row.number for row in rows])]
    objective = objective_of(frames, search.search)
    values = objective_curves(frames, runs, objective, split="validation").reset_index(name="value")
    table = values.merge(runs[["run", "trial"]], on="run")
    means = table.groupby(["trial", "epoch"])["value"].mean()
    found: dict[int, Curve] = {}
    for number in means.index.unique("trial").tolist():
        curve = means.loc[number]
        found[number] = curve.index.to_numpy(np.float64), curve.to_numpy(dtype=np.float64)
    return found


def _line(
    curve: Curve, row: TrialRow, name: str, line: Mapping[str, object], *, first: bool
) -> Trace:
    epochs, values = curve
    return scatter(
        x=epochs,
        y=values,
        mode="lines" if len(epochs) > 1 else "markers",
        line=dict(line),
        marker={"color": line["color"], "size": 5},
        name=name,
        legendgroup=name,
        showlegend=first,
        text=[f"trial {row.number} ({row.state})"] * len(epochs),
    )
