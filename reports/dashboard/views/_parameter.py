"""Values against one parameter: the temperature, or any other that varies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports._naming import called
from reports._palette import look
from reports._ranking import better
from reports.dashboard.views._cloud import Cloud
from reports.dashboard.views._reference import level_of
from reports.dashboard.views._stills import (
    Scatter,
    best_rows,
    csv_of,
    few_stops,
    kept,
    pictures,
    window_of,
)
from reports.dashboard.views._view import Choice, Drawn, Seen, Undrawn, View
from reports.drawing import Sketch
from reports.drawing._marks import ring
from reports.drawing._scale import Scale
from reports.drawing._style import level_line
from reports.drawing._trace import Trace, scatter
from reports.drawing._window import Window

_CAPTION = (
    "Each dot is a trial, its mean over seeds on validation. Lines join each method’s best trial "
    "at each value{test}; the ring marks the best of all. An arrow at the edge is off the scale, "
    "diverged or was pruned."
)
_TEST = ", dashed what the same trials have on test"
_TEMPERATURE = "temperature"
_MOST_ON_A_LINE = 40
_FEW_METHODS = 3


def temperature(seen: Seen) -> Drawn | Undrawn:
    """The line of temperatures of each method that has one."""
    if _TEMPERATURE not in seen.cloud.varied():
        return Undrawn(reason="No method has finished trials at two temperatures yet.")
    return against(seen, _TEMPERATURE, ())


def parameter(seen: Seen) -> Drawn | Undrawn:
    """Any one parameter: the learning rate first."""
    names = sorted(seen.cloud.varied(), key=lambda name: (name != "lr", name))
    if not names:
        return Undrawn(reason="No parameter has two values among the finished trials yet.")
    options = [(name, called(name)) for name in names]
    by = seen.choice("by", "Parameter", options)
    return against(seen, by.chosen, (by,))


def against(seen: Seen, name: str, choices: tuple[Choice, ...]) -> Drawn | Undrawn:
    """Values against one parameter, of all methods in which it varies or of one."""
    every = seen.cloud
    with_it = every.only(np.isfinite(every.parameters[name]))
    fitting = [search for search in with_it.searches if name in with_it.of(search).varied()]
    titles = dict(zip(every.searches, every.titles, strict=True))
    options = [("", "all methods"), *((search, titles[search]) for search in fitting)]
    chosen = seen.choice("search", "Method", options)
    choices = (*choices, chosen)
    shown = [chosen.chosen] if chosen.chosen else fitting
    cloud = with_it.only(np.isin(with_it.code, [with_it.searches.index(one) for one in shown]))
    if not np.isfinite(cloud.value).any():
        reason = f"No trial with two values of {called(name)} has a result yet."
        return Undrawn(reason=reason, choices=choices)
    x, level = cloud.parameters[name], level_of(seen.record)
    scale, view = Scale(x), window_of(cloud, level)
    tests = len(shown) <= _FEW_METHODS and bool(np.isfinite(cloud.test).any())
    steps = kept(cloud)
    dots = Scatter(
        cloud=cloud,
        x=scale.of(x),
        drawn_x=scale.drawn(x),
        y=cloud.value,
        view=view,
        keep=steps,
        stops=few_stops(cloud, steps),
        names=(name,),
    )
    best = int(np.argmin(cloud.key))

    def draw(most: int) -> tuple[Sketch, str]:
        traces, said = dots.traces(most)
        lines = _lines(cloud, name, scale, tests=tests)
        mark = ring(float(scale.of(x)[best]), float(cloud.value[best]), name="best on validation")
        layout = _layout(cloud, name, scale, view, level)
        return Sketch(traces=[*lines, *traces, mark], layout=layout), said

    heads, rows = best_rows(cloud, (name,), test=tests)
    return Drawn(
        pictures=pictures(draw, label=f"{cloud.axis} against {called(name)}"),
        choices=choices,
        caption=_CAPTION.format(test=_TEST if tests else ""),
        heads=heads,
        rows=rows,
        csv=partial(csv_of, cloud, (name,)),
    )


def _layout(cloud: Cloud, name: str, scale: Scale, view: Window, level: float) -> dict[str, Any]:
    return {
        "height": 460,
        "xaxis": scale.axis(called(name).capitalize()),
        "yaxis": {
            "title": {"text": f"{cloud.axis}, {better(cloud.objective)} is better"},
            "range": [view.low, view.high],
        },
        "shapes": level_line(level),
        "meta": {"narrow": scale.fewer_labels()},
    }


def _lines(cloud: Cloud, name: str, scale: Scale, *, tests: bool) -> Iterator[Trace]:
    """Each method's best trial at each value, where values are few."""
    for code, weighting in enumerate(cloud.weightings):
        best = _best_at_each(cloud, name, np.flatnonzero(cloud.code == code))
        if not 2 <= len(best) <= _MOST_ON_A_LINE:
            continue
        line = {"width": 2.2, "color": look(weighting).colour}
        x = scale.of(cloud.parameters[name][best])
        yield scatter(x=x, y=cloud.value[best], mode="lines", line=line, showlegend=False)
        if tests:
            dashed = {**line, "dash": "dash", "width": 1.6}
            yield scatter(x=x, y=cloud.test[best], mode="lines", line=dashed, showlegend=False)


def _best_at_each(cloud: Cloud, name: str, mine: NDArray[np.int64]) -> list[int]:
    """Of trials those that are the best at their value of the parameter, by value; none of many."""
    mine = mine[np.isfinite(cloud.key[mine])]
    x, key = cloud.parameters[name][mine], cloud.key[mine]
    values = np.unique(x)
    if len(values) > _MOST_ON_A_LINE:
        return []
    return [int(mine[np.argmin(np.where(x == value, key, np.inf))]) for value in values]


TEMPERATURE = View(
    key="temperature",
    title="Temperature",
    says="how much the temperature matters",
    draw=temperature,
    of_functions=False,
)
PARAMETER = View(
    key="parameter",
    title="One parameter",
    says="how much the learning rate, or any other parameter, matters to each method",
    draw=parameter,
)
