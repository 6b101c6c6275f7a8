"""As many points as a page should hold: of a cloud at most 4,000 dots, of a line what pixels show.

What is drawn are points that there are, never averages: each dot can be followed to its run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOST_DOTS: Final = 4_000
NEWEST: Final = 100
"""How many of the newest points are dots of their own, whatever else is put together."""

_FINEST: Final = (256, 160)
"""Columns and rows of the grid that is tried first; it is halved until the dots are few enough."""

_COLUMNS: Final = 800
"""As wide as a curve is drawn, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """Points that stand for all points of a cloud.

    Attributes:
        at: ``[M]``, the position of each among all points, in rising order.
        n: ``[M]``, how many points it stands for, itself among them.
    """

    at: NDArray[np.int64]
    n: NDArray[np.int64]

    @property
    def said(self) -> str:
        """``1 dot = up to 40 runs``; empty where each stands for itself."""
        most = int(self.n.max(initial=1))
        return "" if most == 1 else f"1 dot = up to {most:,} runs"


def dots(
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    groups: NDArray[np.int64] | None = None,
    keep: NDArray[np.bool_] | None = None,
    most: int = MOST_DOTS,
) -> Dots:
    """Dots for a cloud of ``N`` points, as few as a page should hold.

    Of the points of a group that lie in one cell of a grid, the one next to their middle is a dot.

    Args:
        x: ``[N]``, as it is drawn: logarithms on a logarithmic axis. What is not finite is no dot.
        y: ``[N]``.
        groups: ``[N]``, points of different groups, such as methods, are not put together.
        keep: ``[N]``, points that are dots of their own: a Pareto front, the best so far, the
            newest. If they are more than half of `most`, those are kept that are spread evenly.
        most: How many dots there may be; no fewer than four a group.
    """
    drawn = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(drawn) <= most:
        return Dots(at=drawn, n=np.ones(len(drawn), dtype=np.int64))
    own = _spread(drawn[keep[drawn]] if keep is not None else drawn[:0], x, most // 2)
    alone = np.isin(drawn, own, assume_unique=True)
    others = drawn[~alone]
    across, up = _unit(x[others]), _unit(y[others])
    group = np.zeros(len(others), dtype=np.int64)
    if groups is not None:
        group = np.unique(groups[others], return_inverse=True)[1].astype(np.int64)
    columns, rows = _FINEST
    while True:
        cell = (group * columns + _cells(across, columns)) * rows + _cells(up, rows)
        named, at_cell, n = np.unique(cell, return_inverse=True, return_counts=True)
        if len(named) + len(own) <= most or columns == 1:
            break
        columns, rows = columns // 2, max(rows // 2, 1)
    chosen = others[_next_to_the_middle(across, up, at_cell, n)]
    order = np.argsort(at := np.concatenate([own, chosen]))
    return Dots(at=at[order], n=np.concatenate([np.ones_like(own), n])[order])


def pareto(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """``[N]``: whether no other point is lower in one of both and no higher in the other.

    What is not finite is none of them; of equal points the first one is.
    """
    found = np.zeros(len(x), dtype=bool)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    order = known[np.lexsort((known, y[known], x[known]))]
    lowest = np.minimum.accumulate(np.concatenate([[np.inf], y[order]]))
    found[order[y[order] < lowest[:-1]]] = True
    return found


def best_so_far(values: NDArray[Any]) -> NDArray[np.bool_]:
    """``[N]``: whether a value, in the order in which they came, is lower than all before it."""
    lowest = np.fmin.accumulate(np.concatenate([[np.inf], values]))
    return np.asarray(values < lowest[:-1])


def newest(n: int) -> NDArray[np.bool_]:
    """``[n]``: the last `NEWEST`, of points in the order in which they came."""
    return np.arange(n) >= n - NEWEST


def line(x: NDArray[Any], y: NDArray[Any], *, columns: int = _COLUMNS) -> NDArray[np.int64]:
    """Positions of what a line through ``N`` points shows: each pixel's ends, lowest and highest.

    Args:
        x: ``[N]``, rising, and as it is drawn: logarithms on a logarithmic axis.
        y: ``[N]``; NaN where there is none, which is never the lowest.
        columns: How many pixels it is wide.
    """
    if len(x) <= 4 * columns:
        return np.arange(len(x))
    column = _cells(_unit(x), columns)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    last = np.append(first[1:], len(x)) - 1
    order = np.lexsort((y, column))  # NaN is behind all others
    known = np.bincount(column[np.isfinite(y)], minlength=columns)[column[first]]
    lowest, highest = order[first], order[first + np.maximum(known, 1) - 1]
    return np.unique(np.concatenate([first, lowest, highest, last]))


def _spread(points: NDArray[np.int64], x: NDArray[Any], most: int) -> NDArray[np.int64]:
    """At most so many of them, evenly from the left to the right."""
    if len(points) <= most:
        return points
    order = points[np.argsort(x[points], kind="stable")]
    return np.sort(order[np.unique(np.linspace(0, len(order) - 1, most).round().astype(np.int64))])


def _unit(values: NDArray[Any]) -> NDArray[np.float64]:
    """From 0 to 1."""
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    spread = high / 2 - low / 2  # no overflow
    if not spread > 0:
        return np.zeros(len(values))
    return np.asarray((values / 2 - low / 2) / spread, dtype=np.float64)


def _cells(unit: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    return np.minimum((unit * n).astype(np.int64), n - 1)


def _next_to_the_middle(
    x: NDArray[np.float64], y: NDArray[np.float64], cell: NDArray[np.int64], n: NDArray[np.int64]
) -> NDArray[np.int64]:
    """``[M]``: of each cell, the position of the point next to the mean of all."""
    away = [one - (np.bincount(cell, weights=one) / n)[cell] for one in (x, y)]
    order = np.lexsort((np.hypot(*away), cell))
    return np.asarray(order[np.cumsum(n) - n], dtype=np.int64)
