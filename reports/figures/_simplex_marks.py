"""What lies on the weight simplex: points for the pointer, the best one, those without a value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.figures._trace import Trace, scatter_ternary

FloatArray = NDArray[np.float64]

SCALE = "Viridis_r"  # even in lightness, so it is readable without colour vision; best is bright
_LOST = {"diverged": "x-thin", "pruned": "line-ew"}
_GREY = "#8a7f72"


def points(
    done: pd.DataFrame,
    weights: FloatArray,
    value: FloatArray,
    *,
    on: NDArray[np.bool_],
    limits: tuple[float, float],
    titles: list[str],
) -> Trace:
    """What the pointer reads, and the colour bar; visible where a point has no cell of its own."""
    a, b, c = weights.T
    names = [f"{title} %{{{axis}:.3f}}" for title, axis in zip(titles, "abc", strict=True)]
    hover = "<br>".join(["validation Δm <b>%{customdata[1]:+.2f} %</b>", *names])
    return scatter_ternary(
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


def ring(at: FloatArray) -> Trace:
    """The mark around the best weights, shape `[3]`."""
    a, b, c = at
    return scatter_ternary(
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


def without_value(weights: FloatArray, ended: Sequence[str]) -> list[Trace]:
    """Weights, shape `[N, 3]`, with which training diverged or was pruned; and how, `[N]`."""
    kinds = np.array([text.split(" ")[0] for text in ended], dtype=np.str_)
    return [
        _lost(weights[kinds == kind], np.array(ended)[kinds == kind], kind, symbol)
        for kind, symbol in _LOST.items()
        if kind in kinds
    ]


def _lost(weights: FloatArray, ended: Any, kind: str, symbol: str) -> Trace:
    a, b, c = weights.T
    return scatter_ternary(
        a=a,
        b=b,
        c=c,
        mode="markers",
        marker={"symbol": symbol, "size": 9, "color": _GREY, "line": {"width": 2, "color": _GREY}},
        name=kind,
        text=ended,
        hovertemplate="%{text}<extra></extra>",
        showlegend=True,
    )
