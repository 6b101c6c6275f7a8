"""One budget curve as Plotly traces: two spreads, the line, its end, the line of single runs."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from reports._palette import TraceStyle, translucent
from reports._ranking import hover
from reports.drawing._trace import Trace, scatter
from reports.measures import FloatArray, IntArray
from reports.spending.axes import AXES
from reports.spending.curves import BudgetCurve

_HOVER = (
    "<b>%{fullData.name}</b><br>VALUESPREAD<br>trials so far: %{customdata[0]:.0f}, "
    "stage %{customdata[3]:.0f}<br>%{x:,.4~r} UNIT<extra></extra>"
)
_SPREAD = " (95 % interval %{customdata[1]:FORMAT} to %{customdata[2]:FORMAT})"
# Plotly outlines markers of several sizes unless told not to.
_NO_OUTLINE = {"width": 0}
ORDERS: Final = "spread over search orders (10 to 90 %)"
RUNS: Final = "tuned on a single seed"

# More points of a curve than a screen has room for are left out of the drawing.
_MOST_POINTS: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What is drawn of one method, in one unit of cost.

    Attributes:
        curve: Trials with all their seeds.
        of_runs: Trials on one seed; None with one seed.
        look: The method's colour and marker.
        n_trials: Trials finished at each point of `curve`, ``[n]``.
        until: Cost at the figure's right edge, to which the last value is held.
        band_from: The point from which on the interval is drawn; before it only the pointer tells
            it, and the label that at the end.
        first: Whether this is the one method whose spread over orders, and whose single runs, have
            the entry in the legend.
    """

    curve: BudgetCurve
    of_runs: BudgetCurve | None
    look: TraceStyle
    n_trials: FloatArray
    until: float
    band_from: int
    first: bool

    def traces(self) -> list[Trace]:
        """As many for each method and unit, back to front; they differ in x from unit to unit."""
        shared = {"legendgroup": self.curve.search, "name": self.curve.title}
        return [
            self._interval(shared),
            self._orders(),
            self._runs(),
            self._held(shared),
            self._line(shared),
        ]

    def _interval(self, shared: dict[str, Any]) -> Trace:
        points = _few(self.curve)
        points = points[points >= self.band_from]
        x, y = _band(self.curve, self.curve.low, self.curve.high, points)
        return scatter(
            x=x,
            y=y,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=translucent(self.look.colour, 0.14),
            hoverinfo="skip",
            showlegend=False,
            **shared,
        )

    def _orders(self) -> Trace:
        curve = self.curve
        spread = curve.order_high > curve.order_low  # a point run as it is has none
        low, high = (np.where(spread, edge, np.nan) for edge in (curve.order_low, curve.order_high))
        x, y = _band(curve, low, high, _few(curve))
        line = {"width": 1.2, "dash": "dot", "color": translucent(self.look.colour, 0.75)}
        return scatter(x=x, y=y, line=line, **self._waiting(ORDERS, "orders", rank=2000))

    def _runs(self) -> Trace:
        curve = self.of_runs
        points = np.array([], dtype=np.int64) if curve is None else _few(curve)
        x, y = (np.array([]),) * 2 if curve is None else (curve.cost[points], curve.value[points])
        line = {"shape": "hv", "width": 1.4, "dash": "dash", "color": self.look.colour}
        return scatter(x=x, y=y, line=line, **self._waiting(RUNS, "runs", rank=2001))

    def _waiting(self, name: str, group: str, *, rank: int) -> dict[str, Any]:
        """A line that the legend switches on, for all methods at once."""
        return {
            "mode": "lines",
            "hoverinfo": "skip",
            "name": name,
            "legendgroup": group,
            "legendrank": rank,
            "showlegend": self.first,
            "visible": "legendonly",
        }

    def _held(self, shared: dict[str, Any]) -> Trace:
        end, value = self.curve.cost[-1], self.curve.value[-1]
        return scatter(
            x=np.array([end, max(self.until, end)]),
            y=np.array([value, value]),
            mode="lines",
            line={"width": 1, "dash": "dot", "color": translucent(self.look.colour, 0.6)},
            hoverinfo="skip",
            showlegend=False,
            **shared,
        )

    def _line(self, shared: dict[str, Any]) -> Trace:
        curve, at = self.curve, _few(self.curve)
        sizes = np.full(len(at), 4.0)
        sizes[-1] = 10.0
        objective, colour = curve.objective, self.look.colour
        known = np.isfinite(curve.low).any()
        table = np.column_stack([self.n_trials, curve.low, curve.high, curve.stage + 1])
        return scatter(
            x=curve.cost[at],
            y=curve.value[at],
            mode="lines+markers",
            line={"shape": "hv", "width": 2.4, "color": colour},
            marker={
                "symbol": self.look.symbol,
                "size": sizes,
                "color": colour,
                "line": _NO_OUTLINE,
            },
            customdata=table[at],
            hovertemplate=_HOVER.replace("UNIT", AXES[curve.axis].unit)
            .replace("VALUE", f"{objective.title} {hover(objective, 'y')}")
            .replace("SPREAD", (_SPREAD if known else "").replace("FORMAT", objective.shown)),
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


def _band(
    curve: BudgetCurve, low: FloatArray, high: FloatArray, points: IntArray
) -> tuple[FloatArray, FloatArray]:
    return band(curve.cost[points], low[points], high[points])


def _few(curve: BudgetCurve) -> IntArray:
    """Positions of the points that are drawn: all, or some that lie ever wider, with both ends."""
    n = len(curve.cost)
    if n <= _MOST_POINTS:
        return np.arange(n)
    return np.unique(np.geomspace(1, n, _MOST_POINTS).round().astype(np.int64)) - 1
