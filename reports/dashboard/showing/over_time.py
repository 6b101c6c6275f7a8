"""What attempts came to over time: spent budgets, throughput, how busy workers were.

Amounts of an attempt are taken to have come evenly from its begin to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.following.columns import Columns
from reports.dashboard.following.workers import placed

FloatArray = NDArray[np.float64]
_MOST_BINS: Final = 60
_WIDTHS_S: Final = (
    *(1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
    *(3600.0, 7200.0, 21_600.0, 43_200.0, 86_400.0, 604_800.0),
)
_LEAST_S: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Attempts ``[m]`` by when they were, cut into equal spans of time.

    Attributes:
        edges: ``[B + 1]``, seconds since the epoch.
        width_s: Of a bin.
    """

    attempts: Columns
    ends: FloatArray
    edges: FloatArray
    width_s: float

    @property
    def middles(self) -> FloatArray:
        """``[B]``, seconds since the epoch."""
        return np.asarray(self.edges[:-1] + self.width_s / 2)

    @property
    def lengths_s(self) -> FloatArray:
        """``[B]``, of each bin as much as lies between the first begin and the last end."""
        first, last = self.attempts["started_s"].min(), self.ends.max()
        return np.asarray(np.diff(np.clip(self.edges, first, last)))

    def amounts(self, name: str, which: NDArray[np.bool_] | None = None) -> FloatArray:
        """``[B]``, what a column of the attempts, or of some of them, came to in each bin."""
        return np.asarray(np.diff(self.until(self.edges, name, which)))

    def until(
        self, at: FloatArray, name: str, which: NDArray[np.bool_] | None = None
    ) -> FloatArray:
        """``[t]``, what a column came to until some moments ``[t]``."""
        chosen = slice(None) if which is None or which.all() else which  # a mask makes copies
        begins, ends = self.attempts["started_s"][chosen], self.ends[chosen]
        return until(at, begins, ends, self.attempts[name][chosen])

    def present_s(self, workers: NDArray[np.int64]) -> FloatArray:
        """``[B]``, seconds from the first to the last sign of each of these workers, together."""
        mine, place = placed(self.attempts["worker"], workers)
        first, last = np.full(len(workers), np.inf), np.full(len(workers), -np.inf)
        np.minimum.at(first, place, self.attempts["started_s"][mine])
        np.maximum.at(last, place, self.ends[mine])
        seen = last > first
        first, last = first[seen], last[seen]
        return np.asarray(np.diff(until(self.edges, first, last, last - first)))


def binned(attempts: Columns, *, now_s: float) -> Bins | None:
    """All attempts of a mirror, to be cut into at most 60 bins; None without one.

    Args:
        now_s: Until when attempts go that have not ended.
    """
    if not len(attempts):
        return None
    started, ended = attempts["started_s"], attempts["ended_s"]
    ends = np.maximum(np.where(np.isnan(ended), now_s, ended), started + _LEAST_S)
    first, last = float(started.min()), float(ends.max())
    enough = (width for width in _WIDTHS_S if (last - first) / width <= _MOST_BINS - 1)
    width_s = next(enough, (last - first) / (_MOST_BINS - 1))
    begin = np.floor(first / width_s) * width_s
    n = max(int(np.ceil((last - begin) / width_s)), 1)
    return Bins(
        attempts=attempts, ends=ends, edges=begin + width_s * np.arange(n + 1), width_s=width_s
    )


def until(at: FloatArray, begins: FloatArray, ends: FloatArray, amounts: Any) -> FloatArray:
    """``[t]``, the sum of amounts ``[m]`` that came evenly in spans ``[m]``, until moments ``[t]``.

    Spans are longer than nothing.
    """
    lengths = np.maximum(ends - begins, _LEAST_S)
    rates = amounts / lengths
    order, n = np.argsort(at), len(at)
    asked = at[order]
    rate, ahead = np.zeros(n), np.zeros(n)
    for moments, change in ((begins, rates), (begins + lengths, -rates)):
        place = np.searchsorted(asked, moments)  # of the next moment that is asked for
        before = place < n
        place, change = place[before], change[before]
        rate += np.bincount(place, weights=change, minlength=n)
        ahead += np.bincount(place, weights=change * (asked[place] - moments[before]), minlength=n)
    found = np.cumsum(ahead)
    found[1:] += np.cumsum(np.cumsum(rate)[:-1] * np.diff(asked))
    sums = np.empty(n)
    sums[order] = found
    return sums
