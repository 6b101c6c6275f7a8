"""Points of a delta_m axis: those outside the window become arrows at its top."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.figures._trace import Trace, scatter
from reports.figures._window import Window

FloatArray = NDArray[np.float64]

OFF_SCALE = "triangle-up-open"


def points(
    x: FloatArray,
    y: FloatArray,
    *,
    view: Window,
    colour: str,
    symbol: str,
    size: float,
    opacity: float = 1.0,
    ended: Sequence[str],
    **more: Any,
) -> Trace:
    """Markers, shapes `[n]`; the pointer reads the true value of an arrow, and `ended` for +inf."""
    off = y > view.fence
    said = np.where(np.isinf(y), ended, [f"Δm {value:+.2f} %" for value in y])
    return scatter(
        x=x,
        y=np.where(off, view.high, y),
        mode="markers",
        cliponaxis=False,
        marker={
            "color": colour,
            "opacity": np.where(off, 1.0, opacity),
            "line": {"width": np.where(off, 2, 0), "color": colour},
            "symbol": np.where(off, OFF_SCALE, symbol),
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
    pad = 0.08 * max(float(np.log10(tried[-1] / tried[0])), 0.5)
    low, high = np.log10(tried[0]) - pad, np.log10(tried[-1]) + pad
    text = [short(value) for value in tried]
    return {"tickvals": tried, "ticktext": text, "range": [float(low), float(high)]}
