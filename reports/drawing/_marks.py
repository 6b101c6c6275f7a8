"""Points of a value axis: those outside the window become arrows at its worse end."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reports._ranking import number
from reports.drawing._trace import Trace, scatter
from reports.drawing._window import Window
from reports.measures import FloatArray
from storage.objectives import Objective

_LETTER = 0.012  # of a tick label, as a share of a wide page's axis
OFF_SCALE = {1.0: "triangle-up-open", -1.0: "triangle-down-open"}


def points(
    x: FloatArray,
    y: FloatArray,
    *,
    view: Window,
    objective: Objective,
    colour: str,
    symbol: str,
    size: float,
    opacity: float = 1.0,
    ended: Sequence[str],
    **more: Any,
) -> Trace:
    """Markers, shapes `[n]`; the pointer reads the true value of an arrow, `ended` if infinite."""
    off = view.cuts(y)
    named = objective.title
    said = np.where(np.isinf(y), ended, [f"{named} {number(objective, value)}" for value in y])
    return scatter(
        x=x,
        y=np.where(off, view.edge, y),
        mode="markers",
        cliponaxis=False,
        marker={
            "color": colour,
            "opacity": np.where(off, 1.0, opacity),
            "line": {"width": np.where(off, 2, 0), "color": colour},
            "symbol": np.where(off, OFF_SCALE[view.sign], symbol),
            "size": np.where(off, size + 3, size),
        },
        text=said,
        **{"hovertemplate": "%{text} at %{x:.4~g}<extra>%{fullData.name}</extra>"} | more,
    )


def ring(x: float, y: float, *, name: str, **more: Any) -> Trace:
    """The mark around the point that was chosen."""
    return scatter(
        x=[x],
        y=[y],
        mode="markers",
        marker={"symbol": "circle-open", "size": 20, "color": "#d6425c", "line": {"width": 3}},
        name=name,
        hoverinfo="skip",
        **more,
    )


def short(value: float) -> str:
    """A value in as few characters as it takes: 3e-4, 0.05, 16."""
    if value == 0 or value >= 0.01:
        return f"{value:.3g}"
    return f"{value:.1e}".replace("e-0", "e-").replace(".0e", "e")


def ticks(values: FloatArray) -> dict[str, Any]:
    """Ticks at the values tried, for a log axis of few values; else Plotly's own."""
    tried = np.unique(values[np.isfinite(values)])
    if not 0 < tried.size <= 12:
        return {}
    low, high = np.log10(tried[0]), np.log10(tried[-1])
    pad = 0.08 * max(float(high - low), 0.5)
    places = (np.log10(tried) - low) / (high - low + 2 * pad)
    text = _apart([short(value) for value in tried], places)
    return {"tickvals": tried, "ticktext": text, "range": [float(low - pad), float(high + pad)]}


def _apart(texts: Sequence[str], places: FloatArray) -> list[str]:
    """Labels without those that would touch the one before or the last one; both ends stay.

    Args:
        places: ``[n]``, where they stand, as shares of the axis.
    """

    def touch(left: int, right: int) -> bool:
        letters = (len(texts[left]) + len(texts[right])) / 2 + 1
        return bool(places[right] - places[left] < _LETTER * letters)

    last = len(texts) - 1
    kept = [0]
    for at in range(1, last):
        if not touch(kept[-1], at) and not touch(at, last):
            kept.append(at)
    return [text if at in {*kept, last} else "" for at, text in enumerate(texts)]


def fewer(texts: Sequence[str], most: int) -> list[str]:
    """Tick labels with gaps, so that they do not touch on a narrow page; both ends stay."""
    kept = {round(at * (len(texts) - 1) / max(1, most - 1)) for at in range(most)}
    return [text if at in kept or len(texts) <= most else "" for at, text in enumerate(texts)]
