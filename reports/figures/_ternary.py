"""The heat map over the weight simplex of three tasks.

Colour is clipped at the 90th percentile: a few bad corners would otherwise leave one shade for all
the rest.
"""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from reports.figures._lattice import hexagons, on_grid, step_of
from reports.figures._style import styled

FloatArray = NDArray[np.float64]

SCALE = "Viridis_r"  # even in lightness, so it is readable without colour vision; best is bright
_LEVELS = 24
_CLIP = 90.0  # percentile


def ternary(best: pd.DataFrame, columns: list[str], titles: list[str]) -> go.Figure:
    """The map of one search.

    Args:
        best: One row a weight vector, with `columns`, `val` (+inf: diverged), `trial`, `params`.
        columns: The three weight columns; each row sums to 1.
        titles: The tasks' titles, in the same order.
    """
    finite = np.isfinite(best["val"].to_numpy(dtype=np.float64))
    done, lost = best[finite], best[~finite][columns].to_numpy(dtype=np.float64)
    weights, value = done[columns].to_numpy(dtype=np.float64), done["val"].to_numpy(np.float64)
    low, top = _limits(value)
    step = step_of(weights)
    on = on_grid(weights, step) if step else np.zeros(len(weights), dtype=np.bool_)
    level = np.clip((value - low) / (top - low), 0.0, 1.0)
    traces = _cells(weights[on], level[on], step) if step else []
    traces.append(_points(done, weights, value, on=on, limits=(low, top), titles=titles))
    traces += [_ring(weights[np.argmin(value)])] if value.size else []
    traces += [_lost(lost)] if len(lost) else []
    return styled(
        go.Figure(traces),
        height=560,
        ternary=_axes(titles),
        margin={"l": 60, "r": 60, "t": 52, "b": 124},
        legend={"y": 1, "yanchor": "top"},
        meta={
            "wide": {"height": 560},
            "narrow": {"height": 430},
        },
    )


def _limits(value: FloatArray) -> tuple[float, float]:
    if not value.size:
        return 0.0, 1.0
    low, top = float(value.min()), float(np.percentile(value, _CLIP))
    return (low, top) if top > low else (low, low + 1.0)


def _cells(weights: FloatArray, level: FloatArray, step: float) -> list[go.Scatterternary]:
    """Filled hexagons, one trace a shade, however many trials there are."""
    shade = np.minimum((level * _LEVELS).astype(np.int64), _LEVELS - 1)
    outlines = hexagons(weights, step)
    return [_cell_trace(outlines[shade == at], at) for at in np.unique(shade)]


def _cell_trace(outlines: FloatArray, shade: int) -> go.Scatterternary:
    gap = np.full((len(outlines), 1, 3), np.nan)
    a, b, c = np.concatenate([outlines, gap], axis=1).reshape(-1, 3).T
    colour = sample_colorscale(SCALE, (shade + 0.5) / _LEVELS)[0]
    return go.Scatterternary(
        a=a,
        b=b,
        c=c,
        mode="lines",
        line={"width": 0.6, "color": colour},
        fill="toself",
        fillcolor=colour,
        hoverinfo="skip",
        showlegend=False,
    )


def _points(
    done: pd.DataFrame,
    weights: FloatArray,
    value: FloatArray,
    *,
    on: NDArray[np.bool_],
    limits: tuple[float, float],
    titles: list[str],
) -> go.Scatterternary:
    """What the pointer reads, and the colour bar; visible where a point has no cell of its own."""
    a, b, c = weights.T
    names = [f"{title} %{{{axis}:.3f}}" for title, axis in zip(titles, "abc", strict=True)]
    hover = "<br>".join(["validation Δm <b>%{customdata[1]:+.2f} %</b>", *names])
    return go.Scatterternary(
        a=a,
        b=b,
        c=c,
        mode="markers",
        customdata=np.column_stack([done["trial"].to_numpy(dtype=np.float64), value]),
        hovertemplate=hover + "<br>trial %{customdata[0]:.0f}<extra></extra>",
        marker={
            "size": np.where(on, 16, 11),
            "opacity": np.where(on, 0.0, 1.0),
            "line": {"width": 1, "color": "white"},
            "color": value,
            "colorscale": SCALE,
            "cmin": limits[0],
            "cmax": limits[1],
            "colorbar": _colour_bar(limits, clipped=bool((value > limits[1]).any())),
        },
        showlegend=False,
    )


def _colour_bar(limits: tuple[float, float], *, clipped: bool) -> dict[str, Any]:
    at = np.linspace(*limits, 4)
    text = [f"{value:+.1f}".replace("-", "−") for value in at]
    return {
        "orientation": "h",
        "thickness": 12,
        "lenmode": "pixels",
        "len": 280,
        "y": -0.16,
        "yanchor": "top",
        "outlinewidth": 0,
        "tickvals": at,
        "ticktext": [*text[:-1], f"≥ {text[-1]}" if clipped else text[-1]],
        "title": {
            "text": "Validation Δm in %, lower is better",
            "side": "bottom",
            "font": {"size": 13},
        },
    }


def _ring(at: FloatArray) -> go.Scatterternary:
    a, b, c = at
    return go.Scatterternary(
        a=[a],
        b=[b],
        c=[c],
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 22,
            "color": "#d6425c",
            "line": {"width": 3.5},
        },
        name="best",
        hoverinfo="skip",
        showlegend=True,
    )


def _lost(weights: FloatArray) -> go.Scatterternary:
    a, b, c = weights.T
    return go.Scatterternary(
        a=a,
        b=b,
        c=c,
        mode="markers",
        marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": "#8a7f72"}},
        name="diverged",
        hovertemplate="diverged<extra></extra>",
        showlegend=True,
    )


def _axes(titles: list[str]) -> dict[str, Any]:
    axes = {
        f"{letter}axis": {"title": _corner(title), "min": 0, "nticks": 6}
        for letter, title in zip("abc", titles, strict=True)
    }
    return {"sum": 1, **axes}


def _corner(title: str) -> dict[str, Any]:
    """A corner has room for short lines only."""
    text = "<br>".join(wrap(title, width=14, break_long_words=False))
    return {"text": text, "font": {"size": 13}}
