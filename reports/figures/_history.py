"""The course of a search: the value of each trial in the order of their numbers, and the best."""

import numpy as np
import plotly.graph_objects as go

from reports._palette import look
from reports._ranking import axis_title, better, objective_of
from reports.drawing._marks import points
from reports.drawing._trace import scatter
from reports.drawing._window import window
from reports.figures._none import NoFigure
from reports.figures._style import styled
from reports.frames import StudyFrames
from reports.measures import FloatArray, IntArray
from reports.trials import SearchTrials, ranked

# More points than these are slow to draw, and hide each other.
_MOST_POINTS = 1_000


def trial_history(frames: StudyFrames, search: SearchTrials) -> go.Figure | NoFigure:
    """Mean validation value of each trial by its number; the line is the best one so far.

    Trials without a value stand as arrows at the worse edge. Of very many trials those are drawn
    that were the best so far, and others evenly apart.
    """
    rows = [row for row in search.trials if row.state not in ("waiting", "running")]
    if all(row.value is None for row in rows):
        return NoFigure(reason=f"No trial of `{search.search}` has a value yet.")
    objective, style = objective_of(frames, search.search), look(search.weighting)
    worst = objective.sign * np.inf
    number = np.array([row.number for row in rows], dtype=np.float64)
    value = np.array([worst if row.value is None else row.value for row in rows])
    best = objective.sign * np.minimum.accumulate(objective.sign * value)
    good = [row.value for row in ranked(search)[: max(2, len(rows) // 2)] if row.value is not None]
    view = window(value, core=np.array(good), sign=objective.sign)
    kept, known = _kept(value, best), np.isfinite(best)
    colour = style.colour
    traces = [
        points(
            number[kept],
            value[kept],
            view=view,
            objective=objective,
            colour=colour,
            symbol="circle",
            size=6,
            opacity=0.5,
            ended=[rows[at].state for at in kept],
            showlegend=False,
            hovertemplate="trial %{x}: %{text}<extra></extra>",
        ),
        scatter(
            x=number[known],
            y=np.where(view.cuts(best[known]), view.edge, best[known]),
            mode="lines",
            line={"shape": "hv", "width": 2.4, "color": "#d6425c"},
            name="best so far",
            hovertemplate="best after trial %{x}: %{y:.6~g}<extra></extra>",
        ),
    ]
    return styled(
        go.Figure(traces),
        height=400,
        xaxis={"title": {"text": "Trial"}, "nticks": 8},
        yaxis={
            "title": {
                "text": f"{axis_title(objective, 'Validation')}, {better(objective)} is better"
            },
            "range": [view.low, view.high],
        },
        margin={"b": 84},
    )


def _kept(value: FloatArray, best: FloatArray) -> IntArray:
    """Positions of the trials that are drawn: every best so far, others evenly apart."""
    n = len(value)
    if n <= _MOST_POINTS:
        return np.arange(n)
    steps = np.flatnonzero((value == best) & np.isfinite(best))
    even = np.linspace(0, n - 1, _MOST_POINTS).round().astype(np.int64)
    return np.union1d(steps, even)
