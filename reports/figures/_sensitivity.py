"""How much the learning rate and the weight decay matter, method by method."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from reports._palette import TraceStyle, look
from reports._ranking import axis_title, objective_of, reference
from reports._titles import title_of, weighting_of
from reports.drawing._marks import points, ring, short, ticks
from reports.drawing._panels import axes_of, panels, suffix
from reports.drawing._style import level_line
from reports.drawing._trace import Trace, scatter
from reports.drawing._window import Window, window
from reports.figures._none import NoFigure
from reports.figures._style import figure_of
from reports.figures._trials import trials
from reports.frames import StudyFrames
from storage.objectives import Objective

Param = Literal["lr", "weight_decay"]

_TITLES: Mapping[Param, str] = {"lr": "Learning rate", "weight_decay": "Weight decay"}


def sensitivity(frames: StudyFrames, *, param: Param = "lr") -> go.Figure | NoFigure:
    """Mean validation value against the learning rate or the weight decay, a panel a method.

    A point is a trial, the line joins the best trial at each value, a ring marks the best of all.
    Methods that tried one value only have no panel. Values far worse than the rest are arrows.
    """
    found = {search: trials(frames, search) for search in frames.searches}
    shown = {s: rows for s, rows in found.items() if param in rows and rows[param].nunique() > 1}
    if not shown:
        return NoFigure(reason=f"No method has trials at two values of `{param}` yet.")
    every = pd.concat(shown.values())
    core = pd.concat([_best(rows, param) for rows in shown.values()])["val"]
    objective, level = objective_of(frames), reference(frames, "validation")
    view = window(
        np.append(_numbers(every["val"]), level),
        core=np.append(_numbers(core), level),
        sign=objective.sign,
    )
    places = _Places(_numbers(every[param]))
    traces = [
        trace
        for panel, (search, rows) in enumerate(shown.items())
        for trace in _panel(
            rows, param, places, view, objective, look(weighting_of(frames, search)), panel
        )
    ]
    sketch = panels(
        traces,
        [title_of(frames, search) for search in shown],
        x={"title": _TITLES[param], **places.axis()},
        y={
            "title": axis_title(objective, "Validation"),
            "range": [view.low, view.high],
        },
        legend=False,
    )
    lines = [line for at in range(len(shown)) for line in level_line(level, suffix(at))]
    return figure_of(sketch).update_layout(shapes=lines)


def _numbers(column: "pd.Series[Any]") -> NDArray[np.float64]:
    return column.to_numpy(dtype=np.float64)


def _best(rows: pd.DataFrame, param: Param) -> pd.DataFrame:
    """The best trial at each value of the parameter, by value."""
    ranked = rows.sort_values(["key", "trial"]).groupby(param).head(1)
    finite: pd.DataFrame = ranked[np.isfinite(ranked["val"])]
    return finite.sort_values(param)


class _Places:
    """Where the values of a parameter stand: on a log axis; side by side if one of them is 0."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self._tried = np.unique(values[np.isfinite(values)])
        self._log = bool(self._tried.min() > 0)

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values if self._log else np.searchsorted(self._tried, values).astype(np.float64)

    def axis(self) -> dict[str, Any]:
        if self._log:
            return {"type": "log", "tickangle": 0, **ticks(self._tried)}
        text = [short(value) for value in self._tried]
        edge = len(text) - 0.6
        return {"tickvals": np.arange(len(text)), "ticktext": text, "range": [-0.4, edge]}


def _panel(
    rows: pd.DataFrame,
    param: Param,
    places: _Places,
    view: Window,
    objective: Objective,
    style: TraceStyle,
    panel: int,
) -> Iterator[Trace]:
    x, y = places.of(_numbers(rows[param])), _numbers(rows["val"])
    axes = axes_of(panel)
    said = np.char.add("at ", rows[param].map("{:g}".format).to_numpy(dtype=np.str_))
    yield points(
        x,
        y,
        view=view,
        objective=objective,
        colour=style.colour,
        symbol=style.symbol,
        size=7,
        opacity=0.5,
        ended=list(rows["ended"]),
        showlegend=False,
        customdata=said,
        hovertemplate="%{text} %{customdata}<extra></extra>",
        **axes,
    )
    best = _best(rows, param)
    line = {"width": 2.2, "color": style.colour}
    best_x, best_y = places.of(_numbers(best[param])), _numbers(best["val"])
    yield scatter(
        x=best_x, y=best_y, mode="lines", line=line, hoverinfo="skip", showlegend=False, **axes
    )
    if best_y.size:
        at = int(np.argmin(best["key"]))
        yield ring(best_x[at], best_y[at], name="best", showlegend=False, **axes)
