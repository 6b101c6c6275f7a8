"""The course of a study: the value of each trial by its number, and the best so far."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from reports._palette import look
from reports._ranking import better
from reports.dashboard.views._cloud import Cloud
from reports.dashboard.views._reference import level_of
from reports.dashboard.views._stills import (
    Scatter,
    best_of_methods,
    best_rows,
    csv_of,
    few_stops,
    kept,
    pictures,
    window_of,
)
from reports.dashboard.views._view import Drawn, Seen, Undrawn, View
from reports.drawing import Sketch
from reports.drawing._style import level_line
from reports.drawing._trace import Trace, scatter
from reports.drawing._window import Window

_CAPTION = (
    "Each dot is a trial, its mean over seeds on validation, by its number in its search; lines "
    "are the best so far. An arrow at the edge is off the scale, diverged or was pruned."
)


def course(seen: Seen) -> Drawn | Undrawn:
    """All methods' trials in the order in which they were proposed."""
    cloud = seen.cloud
    if not np.isfinite(cloud.value).any():
        return Undrawn(reason="No trial has a value yet.")
    steps, view = best_of_methods(cloud), window_of(cloud, level_of(seen.record))
    x = cloud.number.astype(np.float64)
    dots = Scatter(
        cloud=cloud,
        x=x,
        drawn_x=x,
        y=cloud.value,
        view=view,
        keep=kept(cloud),
        stops=few_stops(cloud, steps),
    )

    def draw(most: int) -> tuple[Sketch, str]:
        traces, said = dots.traces(most)
        layout = {
            "height": 460,
            "xaxis": {"title": {"text": "Trial of its search"}, "nticks": 8},
            "yaxis": {
                "title": {"text": f"{cloud.axis}, {better(cloud.objective)} is better"},
                "range": [view.low, view.high],
            },
            "shapes": level_line(level_of(seen.record)),
        }
        return Sketch(traces=[*_lines(cloud, view), *traces], layout=layout), said

    heads, rows = best_rows(cloud, ())
    return Drawn(
        pictures=pictures(draw, label=f"{cloud.axis} of each trial by its number"),
        caption=_CAPTION,
        heads=heads,
        rows=rows,
        csv=partial(csv_of, cloud, ()),
    )


def _lines(cloud: Cloud, view: Window) -> Iterator[Trace]:
    """The best so far of each method."""
    steps = best_of_methods(cloud)
    for code, weighting in enumerate(cloud.weightings):
        mine = np.flatnonzero((cloud.code == code) & steps)
        if len(mine):
            last = int(cloud.number[cloud.code == code].max())
            value = np.append(cloud.value[mine], cloud.value[mine[-1]])
            yield scatter(
                x=np.append(cloud.number[mine], last).astype(np.float64),
                y=np.where(view.cuts(value), view.edge, value),
                mode="lines",
                line={"shape": "hv", "width": 2, "color": look(weighting).colour},
                showlegend=False,
            )


COURSE = View(
    key="course", title="Course", says="what each trial came to, and the best so far", draw=course
)
