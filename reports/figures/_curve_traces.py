"""One budget curve as Plotly traces: two spreads, the line, and its value held to the edge."""

from typing import Any

import numpy as np

from reports._ranking import hover, title
from reports.figures._palette import TraceStyle, translucent
from reports.figures._trace import Trace, scatter
from reports.measures import FloatArray
from reports.spending.curves import BudgetCurve, CostAxis

_HOVER = (
    "<b>%{fullData.name}</b><br>VALUESPREAD<br>trials so far: %{customdata[0]:.0f}, "
    "stage %{customdata[3]:.0f}<br>%{x:,.4~r} UNIT<extra></extra>"
)
_SPREAD = " (seeds %{customdata[1]:FORMAT} to %{customdata[2]:FORMAT})"
# Plotly outlines markers of several sizes unless told not to.
_NO_OUTLINE = {"width": 0}
_UNITS: dict[CostAxis, str] = {
    "solo_s": "device-seconds",
    "as_run_s": "device-seconds, as run",
    "epochs": "epochs",
    "runs": "runs",
}
ORDERS = "spread over search orders (10 to 90 %)"


def curve_traces(
    curve: BudgetCurve, *, look: TraceStyle, n_trials: FloatArray, until: float, first: bool
) -> list[Trace]:
    """The traces of one method, back to front.

    Args:
        curve: What is drawn.
        look: The method's colour and marker.
        n_trials: Trials finished at each point, `[n]`.
        until: Cost at the figure's right edge, to which the last value is held.
        first: Whether this is the one curve whose order spread has the entry in the legend.
    """
    shared = {"legendgroup": curve.search, "name": curve.title}
    return [
        _seeds(curve, look, shared),
        _orders(curve, look, first=first),
        _held(curve, look, shared, until=until),
        _line(curve, look, shared, n_trials=n_trials),
    ]


def _seeds(curve: BudgetCurve, look: TraceStyle, shared: dict[str, Any]) -> Trace:
    x, y = band(curve.cost, curve.seed_low, curve.seed_high)
    return scatter(
        x=x,
        y=y,
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=translucent(look.colour, 0.16),
        hoverinfo="skip",
        showlegend=False,
        **shared,
    )


def _orders(curve: BudgetCurve, look: TraceStyle, *, first: bool) -> Trace:
    spread = curve.order_high > curve.order_low  # a point run as it is has none
    low, high = (np.where(spread, edge, np.nan) for edge in (curve.order_low, curve.order_high))
    x, y = band(curve.cost, low, high)
    return scatter(
        x=x,
        y=y,
        mode="lines",
        line={"width": 1.2, "dash": "dot", "color": translucent(look.colour, 0.75)},
        hoverinfo="skip",
        name=ORDERS,
        legendgroup="orders",
        legendrank=2000,
        showlegend=first,
        visible="legendonly",
    )


def _held(curve: BudgetCurve, look: TraceStyle, shared: dict[str, Any], *, until: float) -> Trace:
    return scatter(
        x=np.array([curve.cost[-1], max(until, curve.cost[-1])]),
        y=np.array([curve.value[-1], curve.value[-1]]),
        mode="lines",
        line={"width": 1, "dash": "dot", "color": translucent(look.colour, 0.6)},
        hoverinfo="skip",
        showlegend=False,
        **shared,
    )


def _line(
    curve: BudgetCurve, look: TraceStyle, shared: dict[str, Any], *, n_trials: FloatArray
) -> Trace:
    sizes = np.full(len(curve.cost), 4.0)
    sizes[-1] = 10.0
    objective = curve.objective
    spread = _SPREAD if np.isfinite(curve.seed_low).any() else ""
    return scatter(
        x=curve.cost,
        y=curve.value,
        mode="lines+markers",
        line={"shape": "hv", "width": 2.4, "color": look.colour},
        marker={"symbol": look.symbol, "size": sizes, "color": look.colour, "line": _NO_OUTLINE},
        customdata=np.column_stack([n_trials, curve.seed_low, curve.seed_high, curve.stage + 1]),
        hovertemplate=_HOVER.replace("UNIT", _UNITS[curve.axis])
        .replace("VALUE", f"{title(objective)} {hover(objective, 'y')}")
        .replace("SPREAD", spread.replace("FORMAT", objective.shown)),
        **shared,
    )


def band(x: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The closed outline of the area between two step functions, shapes `[n]` to `[4n - 1]`.

    Points where a bound is not finite are left out; nothing is left of a band of none.
    """
    kept = np.isfinite(low) & np.isfinite(high)
    x, low, high = x[kept], low[kept], high[kept]
    if not x.size:
        return x, low
    across = np.repeat(x, 2)[1:]
    upper, lower = np.repeat(high, 2)[:-1], np.repeat(low, 2)[:-1]
    outline_x = np.concatenate([across, across[::-1], across[:1]])
    outline_y = np.concatenate([upper, lower[::-1], upper[:1]])
    return outline_x, outline_y
