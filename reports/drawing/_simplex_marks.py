"""What lies on the weight simplex: points for the pointer, the best one, those without a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports._ranking import axis_title, better, hover, short
from reports.drawing._shades import SCALE
from reports.drawing._trace import Trace, scatter_ternary
from reports.measures import FloatArray, IntArray
from storage.objectives import Objective

_LOST = {"diverged": "x-thin", "pruned": "line-ew"}
_CLIP = 90.0  # percentile
_EDGE = "#808080"  # the darkest are seen on a dark page, too
GREY = "#8a7f72"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shades:
    """How keys become colours: lower is better, by the objective's sign.

    Attributes:
        limits: Keys of the best colour and of the worst.
    """

    objective: Objective
    limits: tuple[float, float]


def points(
    weights: FloatArray,
    key: FloatArray,
    trials: IntArray,
    *,
    on: NDArray[np.bool_],
    shades: Shades,
    titles: list[str],
) -> Trace:
    """What the pointer reads, and the colour bar; visible where a point has no cell of its own."""
    names = [f"{title} %{{{axis}:.3f}}" for title, axis in zip(titles, "abc", strict=True)]
    objective = shades.objective
    value = f"validation {objective.title} <b>{hover(objective, 'customdata[1]')}</b>"
    said = "<br>".join([value, *names])
    return scatter_ternary(
        weights,
        mode="markers",
        customdata=np.column_stack([trials.astype(np.float64), objective.sign * key]),
        hovertemplate=said + "<br>trial %{customdata[0]:.0f}<extra></extra>",
        marker={
            "size": np.where(on, 16, 11),
            "opacity": np.where(on, 0.0, 1.0),
            **shaded(key, shades),
        },
        showlegend=False,
    )


def shaded(key: FloatArray, shades: Shades) -> dict[str, Any]:
    """What colours markers by their keys ``[n]``, and the colour bar."""
    low, high = shades.limits
    return {
        "color": key,
        "colorscale": SCALE,
        "cmin": low,
        "cmax": high,
        "line": {"width": 1, "color": _EDGE},
        "colorbar": _colour_bar(shades, clipped=bool((key > high).any())),
    }


def limits_of(key: FloatArray) -> tuple[float, float]:
    """Keys ``[n]`` of the best colour and of the worst: clipped where a few are far worse."""
    key = key[np.isfinite(key)]
    if not key.size:
        return 0.0, 1.0
    low, top = float(key.min()), float(np.percentile(key, _CLIP))
    return (low, top) if top > low else (low, low + (abs(low) or 1.0))


def _colour_bar(shades: Shades, *, clipped: bool) -> dict[str, Any]:
    at, objective = np.linspace(*shades.limits, 4), shades.objective
    text = [short(objective, objective.sign * float(key)) for key in at]
    beyond = "≥" if objective.sign > 0 else "≤"
    return {
        "orientation": "h",
        "thickness": 12,
        "lenmode": "pixels",
        "len": 280,
        "y": -0.16,
        "yanchor": "top",
        "outlinewidth": 0,
        "tickvals": at,
        "ticktext": [*text[:-1], f"{beyond} {text[-1]}" if clipped else text[-1]],
        "title": {
            "text": f"{axis_title(objective, 'Validation')}, {better(objective)} is better",
            "side": "bottom",
            "font": {"size": 13},
        },
    }


def ring(at: FloatArray) -> Trace:
    """The mark around the best weights, shape `[3]`."""
    return scatter_ternary(
        at[None],
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
    return scatter_ternary(
        weights,
        mode="markers",
        marker={"symbol": symbol, "size": 9, "color": GREY, "line": {"width": 2, "color": GREY}},
        name=kind,
        text=ended,
        hovertemplate="%{text}<extra></extra>",
        showlegend=True,
    )
