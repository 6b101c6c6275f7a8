"""How much the temperature matters: the objective along its line, on validation and on test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from reports._palette import look, translucent
from reports._ranking import axis_title, better, hover, objective_of, reference
from reports._titles import weighting_of
from reports.comparing.winners import winner_of
from reports.drawing._marks import fewer, points, ring, short, ticks
from reports.drawing._style import level_line
from reports.drawing._trace import Trace, scatter
from reports.drawing._window import Window, window
from reports.figures._none import NoFigure
from reports.figures._style import styled
from reports.figures._trials import known_search, runs_of, trials
from reports.frames import StudyFrames
from storage.objectives import Objective

_SPLITS = (("val", "validation", "dash", "circle-open"), ("test", "test", "solid", "circle"))


def temperature_curve(frames: StudyFrames, search: str) -> go.Figure | NoFigure:
    """Validation and test values of the objective against the temperature.

    Points are runs (one a seed), lines their means at the learning rate of the line search; trials
    at other rates are faint. Values far worse than the rest stand as arrows at that edge.

    Raises:
        UnknownSearch: The study has no such search.
    """
    known_search(frames, search)
    found = trials(frames, search)
    best = winner_of(frames, search)
    if best is None or "temperature" not in found or found["temperature"].nunique() < 2:
        return NoFigure(reason=f"Finished trials of `{search}` have fewer than two temperatures.")
    chosen = found[found["trial"] == best.trial].iloc[0]
    rate = _rate_of_line(found, float(chosen["lr"]))
    colour = look(weighting_of(frames, search)).colour
    runs = runs_of(frames, search)
    every, core = (rows[["val", "test"]].to_numpy(np.float64).ravel() for rows in (runs, found))
    objective, level = objective_of(frames), reference(frames, "test")
    view = window(np.append(every, level), core=np.append(core, level), sign=objective.sign)
    said = f"{axis_title(objective)}, {better(objective)} is better"
    drawn = _Drawing(view=view, objective=objective, colour=colour)
    traces = [t for split in _SPLITS for t in _split(runs, found, rate, drawn, *split)]
    marks = ticks(found["temperature"].to_numpy(dtype=np.float64))
    traces.append(ring(chosen["temperature"], chosen["test"], name="chosen on validation"))
    return styled(
        go.Figure(traces),
        height=460,
        xaxis={
            "type": "log",
            "title": {"text": f"Temperature (line: learning rate {short(rate)})"},
            "tickangle": 0,
            **marks,
        },
        yaxis={
            "title": {"text": said},
            "range": [view.low, view.high],
        },
        margin={"b": 120},
        shapes=level_line(level),
        meta={
            "wide": {"margin.b": 90, **_labels(marks, 12)},
            "narrow": {"margin.b": 120, **_labels(marks, 5)},
        },
    )


def _labels(marks: Mapping[str, Any], most: int) -> dict[str, list[str]]:
    """At most so many labels of the temperatures, where they have labels of their own."""
    return {"xaxis.ticktext": fewer(marks["ticktext"], most)} if "ticktext" in marks else {}


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """What all points of the figure share."""

    view: Window
    objective: Objective
    colour: str


def _rate_of_line(found: pd.DataFrame, chosen: float) -> float:
    """The learning rate with the most temperatures; the chosen one if several have as many."""
    counts = found.groupby("lr")["temperature"].nunique()
    most = counts[counts == counts.max()].index
    return chosen if chosen in most else float(most[0])


def _split(
    runs: pd.DataFrame,
    found: pd.DataFrame,
    rate: float,
    drawn: "_Drawing",
    column: str,
    title: str,
    dash: str,
    symbol: str,
) -> list[Trace]:
    """The runs of one split, faint where the learning rate is another one, and their means."""
    at_rate = runs["lr"] == rate
    shared: dict[str, Any] = {**vars(drawn), "symbol": symbol, "name": title}
    shared |= {"legendgroup": title, "showlegend": False}
    said = f"mean {drawn.objective.title} {hover(drawn.objective, 'y')}"
    line = found[(found["lr"] == rate) & np.isfinite(found[column])].sort_values("temperature")
    return [
        _points(runs[~at_rate], column, size=5, opacity=0.3, **shared),
        _points(runs[at_rate], column, size=6, opacity=0.6, **shared),
        scatter(
            x=line["temperature"].to_numpy(dtype=np.float64),
            y=line[column].to_numpy(dtype=np.float64),
            mode="lines",
            line={"dash": dash, "width": 2.4, "color": translucent(drawn.colour, 0.95)},
            name=f"{title}, mean over seeds",
            legendgroup=title,
            hovertemplate=f"{said}<extra>%{{fullData.name}}</extra>",
        ),
    ]


def _points(rows: pd.DataFrame, column: str, **look: Any) -> Trace:
    x, y = (rows[name].to_numpy(dtype=np.float64) for name in ("temperature", column))
    return points(x, y, ended=list(rows["ended"]), **look)
