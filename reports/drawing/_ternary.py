"""The heat map over the weight simplex of three tasks.

Colour is clipped at the 90th percentile: a few bad corners would otherwise leave one shade for all
the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.drawing._shades import shades
from reports.drawing._simplex_marks import Shades, limits_of, points, ring, without_value
from reports.drawing._sketch import Link, Sketch
from reports.drawing._trace import Trace, scatter_ternary
from reports.measures import FloatArray, IntArray
from storage.objectives import Objective

_LEVELS = 24
_STEPS = (0.5, 1 / 3, 0.25, 0.2, 0.125, 0.1, 0.05, 0.04, 0.025, 0.02, 0.0125, 0.01)
# On a triangular lattice of step h the cell around a point is a hexagon whose corners are the
# centres of the six triangles that meet there: the point plus h/3 times these.
_CORNERS = np.array(
    [(1, 1, -2), (2, -1, -1), (1, -2, 1), (-1, -1, 2), (-2, 1, 1), (-1, 2, -1)], dtype=np.float64
)
_MOSTLY = 0.8  # stages that hold the weights at an anchor add a few points off the grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """N vectors of three weights, and what came of them.

    Attributes:
        weights: ``[N, 3]``; each row sums to 1.
        key: ``[N]``, lower is better; +inf where no trial has a value.
        ended: ``[N]``, how the trial of one without a value has ended.
        trials: ``[N]``, their numbers.
    """

    weights: FloatArray
    key: FloatArray
    ended: Sequence[str]
    trials: IntArray


def ternary(
    best: Vectors, titles: list[str], objective: Objective, *, links: Sequence[Link] = ()
) -> Sketch:
    """The map of one search.

    Args:
        titles: The tasks' titles.
        objective: Which the keys are of, turned so that lower is better.
        links: Where vectors lead; empty for nowhere.
    """
    finite = np.isfinite(best.key)
    weights, key = best.weights[finite], best.key[finite]
    low, top = limits_of(key)
    step = step_of(weights)
    on = on_grid(weights, step) if step else np.zeros(len(weights), dtype=np.bool_)
    level = np.clip((key - low) / (top - low), 0.0, 1.0)
    traces = _cells(weights[on], level[on], step) if step else []
    coloured = Shades(objective=objective, limits=(low, top))
    dots = points(weights, key, best.trials[finite], on=on, shades=coloured, titles=titles)
    if links:
        dots["links"] = [link for link, known in zip(links, finite, strict=True) if known]
    traces.append(dots)
    traces += [ring(weights[np.argmin(key)])] if key.size else []
    ended = [said for said, known in zip(best.ended, finite, strict=True) if not known]
    traces += without_value(best.weights[~finite], ended)
    layout = {
        "height": 560,
        "ternary": _axes(titles),
        "margin": {"l": 60, "r": 60, "t": 52, "b": 124},
        "legend": {"y": 1, "yanchor": "top"},
        "meta": {"wide": {"height": 560}, "narrow": {"height": 430}},
    }
    return Sketch(traces=traces, layout=layout)


def _cells(weights: FloatArray, level: FloatArray, step: float) -> list[Trace]:
    """Filled hexagons, one trace a shade, however many trials there are."""
    shade = np.minimum((level * _LEVELS).astype(np.int64), _LEVELS - 1)
    outlines = hexagons(weights, step)
    return [_cell_trace(outlines[shade == at], at) for at in np.unique(shade)]


def _cell_trace(outlines: FloatArray, shade: int) -> Trace:
    gap = np.full((len(outlines), 1, 3), np.nan)
    colour = shades(np.array([(shade + 0.5) / _LEVELS]))[0]
    return scatter_ternary(
        np.concatenate([outlines, gap], axis=1).reshape(-1, 3),
        mode="lines",
        line={"width": 0.6, "color": colour},
        fill="toself",
        fillcolor=colour,
        hoverinfo="skip",
        showlegend=False,
    )


def _axes(titles: list[str]) -> dict[str, Any]:
    axes = {
        # the tick at a corner would stand in its title
        f"{letter}axis": {"title": _corner(title), "min": 0, "tickvals": [0.2, 0.4, 0.6, 0.8]}
        for letter, title in zip("abc", titles, strict=True)
    }
    return {"sum": 1, **axes}


def _corner(title: str) -> dict[str, Any]:
    """A corner has room for short lines only."""
    text = "<br>".join(wrap(title, width=12, break_long_words=False))
    return {"text": text, "font": {"size": 13}}


def on_grid(weights: FloatArray, step: float) -> NDArray[np.bool_]:
    """Which rows of `weights` `[N, 3]` are multiples of the step, shape `[N]`."""
    cells = weights / step
    close: NDArray[np.bool_] = np.all(np.abs(cells - np.round(cells)) < 1e-6, axis=1)
    return close


def step_of(weights: FloatArray) -> float | None:
    """The widest usual step whose grid holds most of the points; None if there is none.

    Args:
        weights: Points of the simplex, shape `[N, 3]`.
    """
    if len(weights) < 3:
        return None
    return next((step for step in _STEPS if on_grid(weights, step).mean() >= _MOSTLY), None)


def hexagons(weights: FloatArray, step: float) -> FloatArray:
    """The closed outlines of the cells, shape `[N, 7, 3]`, held inside the simplex."""
    corners = weights[:, None, :] + step / 3 * _CORNERS
    inside = np.clip(corners, 0.0, None)
    inside /= inside.sum(axis=-1, keepdims=True)
    return np.concatenate([inside, inside[:, :1]], axis=1)
