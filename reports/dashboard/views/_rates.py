"""Two parameters at once: a map of cells where they lie on a grid, else dots."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports._naming import called
from reports.dashboard.showing.binning import dots
from reports.dashboard.views._cloud import Cloud
from reports.dashboard.views._stills import (
    best_rows,
    csv_of,
    few_stops,
    kept,
    links_of,
    pictures,
)
from reports.dashboard.views._view import Choice, Drawn, Seen, Undrawn, View
from reports.drawing import Sketch
from reports.drawing._marks import ring
from reports.drawing._scale import Scale
from reports.drawing._shades import shades as colours_of
from reports.drawing._simplex_marks import GREY, Shades, limits_of, shaded
from reports.drawing._trace import Trace, scatter

_CAPTION: Final = (
    "Each {mark} is {what}, coloured by its mean validation value; the ring marks the best. "
    "Colours are clipped at the 90th percentile. "
    "Where several trials share a place, the best one counts. Crosses were pruned, or diverged."
)
_PREFERRED: Final = ("lr", "weight_decay")
_MOST_LINES: Final = 40  # rows or columns of a map
_LEAST_SHARE: Final = 0.5  # of the cells of a map that have a trial
_LEVELS: Final = 24
_OF_LOST: Final = {
    "symbol": "x-thin",
    "size": 9,
    "color": GREY,
    "line": {"width": 2, "color": GREY},
}


def rates(seen: Seen) -> Drawn | Undrawn:
    """The learning rate and the weight decay first; any two that vary."""
    chosen = seen.search(lambda cloud: len(cloud.varied()) > 1)
    if chosen is None:
        return Undrawn(
            reason="No method has finished trials in which two parameters vary. "
            "The view of one parameter shows each by itself."
        )
    every = seen.cloud.of(chosen.chosen)
    names = sorted(every.varied(), key=lambda name: (_rank(name), name))
    x = seen.choice("x", "Across", [(name, called(name)) for name in names])
    others = [(name, called(name)) for name in names if name != x.chosen]
    y = seen.choice("y", "Up", others)
    choices: tuple[Choice, ...] = (chosen, x, y)
    params = x.chosen, y.chosen
    both = [np.isfinite(every.parameters[name]) for name in params]
    cloud = every.only(both[0] & both[1])
    best = _best_at_each_place(cloud, params)
    if not np.isfinite(best.value).any():
        return Undrawn(reason="No trial with both has a value yet.", choices=choices)
    drawing = _Map(best, params)
    heads, rows = best_rows(best, params)
    mark, what = ("cell", "a pair of values") if drawing.is_grid else ("dot", "a trial")
    said = " and ".join(called(name) for name in params)
    return Drawn(
        pictures=pictures(drawing.sketch, label=f"{cloud.axis} by {said}"),
        choices=choices,
        caption=_CAPTION.format(mark=mark, what=what),
        heads=heads,
        rows=rows,
        csv=partial(csv_of, cloud, params),
    )


def _rank(name: str) -> int:
    return _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)


def _best_at_each_place(cloud: Cloud, params: tuple[str, str]) -> Cloud:
    """Without trials that are no better than another one of the same two values."""
    x, y = (cloud.parameters[name] for name in params)
    order = np.lexsort((np.arange(len(cloud)), cloud.key, y, x))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(x[order]) != 0) | (np.diff(y[order]) != 0)
    return cloud.only(np.sort(order[first]))


class _Map:
    """One search's best trials at each place."""

    def __init__(self, cloud: Cloud, params: tuple[str, str]) -> None:
        self._cloud, self._params = cloud, params
        self._x, self._y = (cloud.parameters[name] for name in params)
        self._scales = Scale(self._x), Scale(self._y)
        columns, rows = len(np.unique(self._x)), len(np.unique(self._y))
        few = columns <= _MOST_LINES and rows <= _MOST_LINES
        self.is_grid = few and len(cloud) >= _LEAST_SHARE * columns * rows
        self._shades = Shades(objective=cloud.objective, limits=limits_of(cloud.key))

    def sketch(self, most: int) -> tuple[Sketch, str]:
        """The drawing, and how many trials a dot stands for."""
        x, y = (scale.drawn(v) for scale, v in zip(self._scales, (self._x, self._y), strict=True))
        keep = kept(self._cloud)
        found = dots(x, y, keep=keep, most=most)
        best = int(np.argmin(self._cloud.key))
        across, up = self._scales
        layout = {
            "height": 560,
            "xaxis": across.axis(called(self._params[0]).capitalize()),
            "yaxis": up.axis(called(self._params[1]).capitalize()),
            "margin": {"l": 76, "r": 16, "t": 20, "b": 142},
            "showlegend": False,
            "meta": {"wide": {"height": 560}, "narrow": {"height": 460, **across.fewer_labels()}},
        }
        cells, lost = self._cells() if self.is_grid else [], self._cloud.lost[found.at] != ""
        traces = [
            *cells,
            self._dots(found.at[~lost], found.n[~lost], self._looks(found.at[~lost])),
            self._dots(found.at[lost], found.n[lost], _OF_LOST),
            ring(float(across.of(self._x)[best]), float(up.of(self._y)[best]), name="best"),
        ]
        return Sketch(traces=traces, layout=layout), found.said

    def _looks(self, at: NDArray[np.int64]) -> Mapping[str, Any]:
        """Of trials with a value: to be pointed at, where their cells show it."""
        size, opacity = (22, 0.0) if self.is_grid else (9, 0.9)
        return {**shaded(self._cloud.key[at], self._shades), "size": size, "opacity": opacity}

    def _dots(
        self, at: NDArray[np.int64], n: NDArray[np.int64], marker: Mapping[str, Any]
    ) -> Trace:
        cloud, (across, up) = self._cloud, self._scales
        return scatter(
            x=across.of(self._x)[at],
            y=up.of(self._y)[at],
            mode="markers",
            marker=marker,
            links=links_of(cloud, at, n, few_stops(cloud, np.isfinite(cloud.key)), self._params),
        )

    def _cells(self) -> list[Trace]:
        """Rectangles that reach halfway to the next values, one trace a shade."""
        done = np.flatnonzero(np.isfinite(self._cloud.key))
        (left, right), (low, high) = (
            _edges(scale.drawn(values), values=scale.drawn(values[done]))
            for scale, values in zip(self._scales, (self._x, self._y), strict=True)
        )
        if self._scales[0].log:
            left, right = 10**left, 10**right
        if self._scales[1].log:
            low, high = 10**low, 10**high
        least, most = self._shades.limits
        level = np.clip((self._cloud.key[done] - least) / (most - least), 0.0, 1.0)
        shade = np.minimum((level * _LEVELS).astype(np.int64), _LEVELS - 1)
        gap = np.full(len(done), np.nan)
        x = np.column_stack([left, right, right, left, gap])
        y = np.column_stack([low, low, high, high, gap])
        return [
            scatter(
                x=x[shade == one].ravel(),
                y=y[shade == one].ravel(),
                mode="lines",
                line={"width": 0.6, "color": colour},
                fill="toself",
                fillcolor=colour,
            )
            for one, colour in (
                (int(one), colours_of(np.array([(one + 0.5) / _LEVELS]))[0])
                for one in np.unique(shade)
            )
        ]


def _edges(
    every: NDArray[np.float64], *, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of cells around `values` ``[n]``, halfway to the next of `every` value."""
    known = np.unique(every[np.isfinite(every)])
    middles = (known[1:] + known[:-1]) / 2
    outer = (known[1] - known[0]) / 2 if len(known) > 1 else 0.5
    last = (known[-1] - known[-2]) / 2 if len(known) > 1 else 0.5
    bounds = np.concatenate([[known[0] - outer], middles, [known[-1] + last]])
    at = np.searchsorted(known, values)
    return bounds[at], bounds[at + 1]


RATES = View(
    key="rates",
    title="Two parameters",
    says="how learning rate and weight decay, or any other two, go together",
    draw=rates,
)
