"""What a study will cost yet, and between which ends: a pure function of plan, counts and paces.

Each end is the sum of the searches' ends: they share packs and machine, so that what errs for one
errs for all alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from storage import FINAL
from storage.records import SearchStatus
from study.deciding.outlook import Outlook
from study.deciding.pace import Pace
from study.spec.budget import BudgetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An expected amount.

    Attributes:
        low: Lower end of its 95 % prediction interval; None where nothing tells it.
        high: Upper end.
    """

    value: float
    low: float | None = None
    high: float | None = None

    def times(self, factor: float) -> Range:
        """All of it, by a factor of at least 0."""
        return Range(
            value=self.value * factor,
            low=None if self.low is None else self.low * factor,
            high=None if self.high is None else self.high * factor,
        )

    def plus(self, paid: float) -> Range:
        """With what is certain already."""
        return Range(
            value=self.value + paid,
            low=None if self.low is None else self.low + paid,
            high=None if self.high is None else self.high + paid,
        )

    def at_most(self, limit: float) -> Range:
        """Cut off where a budget ends."""
        return Range(
            value=min(self.value, limit),
            low=None if self.low is None else min(self.low, limit),
            high=None if self.high is None else min(self.high, limit),
        )

    def to_plain(self) -> dict[str, float | None]:
        """JSON-ready values."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchForecast:
    """What one search takes yet.

    Attributes:
        runs_ended: When this was told: what is left is left beside those.
        runs_left: Expected number.
        epochs_left: Expected; `least_epochs` and `most_epochs` are their ends.
        paid_s: Device-seconds so far.
        left_s: Device-seconds yet; None where nothing of its shape was timed.
        pace: What that rests on.
    """

    search: str
    runs_ended: int
    runs_left: float
    epochs_left: float
    least_epochs: float
    most_epochs: float
    paid_s: float
    left_s: Range | None
    pace: Pace | None

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "search": self.search,
            "runs_ended": self.runs_ended,
            "runs_left": self.runs_left,
            "epochs_left": self.epochs_left,
            "least_epochs_left": self.least_epochs,
            "most_epochs_left": self.most_epochs,
            "device_s_paid": self.paid_s,
            "device_s_left": self.left_s and self.left_s.to_plain(),
            "epoch_s": self.pace and self.pace.epoch_s,
            "timed_by": self.pace and self.pace.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a study takes yet.

    Attributes:
        paid_s: Device-seconds of all attempts so far.
        left_s: Device-seconds yet, workers' own starts and timings included; None where a search
            that has something left has no pace.
        money_left: None without a price.
        limited: Whether a budget ends the study before its searches do.
    """

    searches: Sequence[SearchForecast]
    paid_s: float
    left_s: Range | None
    money_left: Range | None
    limited: bool = False

    @property
    def runs_left(self) -> float:
        """Runs yet, as far as is known."""
        return sum(search.runs_left for search in self.searches)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to train."""
        return not any(search.most_epochs for search in self.searches)

    @property
    def untimed(self) -> tuple[str, ...]:
        """Searches of whose shape nothing was timed yet."""
        return tuple(s.search for s in self.searches if s.left_s is None)

    @property
    def rests_on_others(self) -> bool:
        """Whether packs of other studies tell how long some of it takes."""
        paces = [search.pace for search in self.searches if search.most_epochs]
        return any(pace is not None and pace.elsewhere for pace in paces)

    def wall_s(self, workers: int) -> Range | None:
        """Seconds that the rest takes with workers that never wait; None where that is open."""
        return None if self.left_s is None or not workers else self.left_s.times(1 / workers)


def search_forecast(
    status: SearchStatus,
    ahead: Outlook,
    pace: Pace | None,
    *,
    epochs: int,
    budget: BudgetSpec,
) -> SearchForecast:
    """What one search takes yet.

    Args:
        status: With the runs that a driver would add at once.
        epochs: Of a run that no rule ends.
    """
    unfinished = status.unfinished
    expected = ahead.epochs_left(unfinished, epochs) + sum(of.epochs for of in ahead.coming)
    least, most = ahead.epochs_between(unfinished, epochs)
    if budget.epochs is not None:
        allowed = float(max(0, budget.epochs - status.epochs_paid))
        expected, least, most = (min(of, allowed) for of in (expected, least, most))
    left_s = None if pace is None else _device_s(pace, expected, least, most)
    if left_s is None and not most:
        left_s = Range(value=0.0, low=0.0, high=0.0)
    if left_s is not None and budget.device_s is not None:
        left_s = left_s.at_most(max(0.0, budget.device_s - status.device_s))
    return SearchForecast(
        search=status.search,
        runs_ended=sum(n for state, n in status.states.items() if state in FINAL),
        runs_left=sum(of.runs for of in unfinished) + ahead.runs,
        epochs_left=expected,
        least_epochs=least,
        most_epochs=most,
        paid_s=status.device_s,
        left_s=left_s,
        pace=pace,
    )


def forecast(
    searches: Sequence[SearchForecast],
    *,
    paid_s: float,
    beside: float,
    budget: BudgetSpec,
    epochs_paid: int,
    price_per_h: float | None,
) -> Forecast:
    """What a study takes yet.

    Args:
        beside: Device-seconds that are no run's for each one of a run.
        epochs_paid: So far, which count for the budget.
    """
    left = [of.left_s for of in searches]
    found = Forecast(searches=searches, paid_s=paid_s, left_s=None, money_left=None)
    if any(of is None for of in left):
        return found
    known = [of for of in left if of is not None]
    lows = [of.low for of in known if of.low is not None]
    highs = [of.high for of in known if of.high is not None]
    whole = Range(
        value=sum(of.value for of in known),
        low=sum(lows) if len(lows) == len(known) else None,
        high=sum(highs) if len(highs) == len(known) else None,
    ).times(1 + beside)
    ended = _ended(whole, searches, budget, paid_s, epochs_paid, price_per_h)
    money = None if price_per_h is None else ended.times(price_per_h / 3600)
    return replace(found, left_s=ended, money_left=money, limited=ended.value < whole.value)


def _ended(
    left_s: Range,
    searches: Sequence[SearchForecast],
    budget: BudgetSpec,
    paid_s: float,
    epochs_paid: int,
    price_per_h: float | None,
) -> Range:
    """What is left where the study's budgets may end it before."""
    if budget.device_s is not None:
        left_s = left_s.at_most(max(0.0, budget.device_s - paid_s))
    if budget.money is not None and price_per_h:
        left_s = left_s.at_most(max(0.0, budget.money / price_per_h * 3600 - paid_s))
    epochs = sum(of.epochs_left for of in searches)
    if budget.epochs is not None and epochs > 0:
        left_s = left_s.times(min(1.0, max(0, budget.epochs - epochs_paid) / epochs))
    return left_s


def _device_s(pace: Pace, expected: float, least: float, most: float) -> Range:
    """Between the fewest epochs at the lower end of their time, and the most at the upper end."""
    low, high = pace.half_width(least), pace.half_width(most)
    return Range(
        value=pace.epoch_s * expected,
        low=None if low is None else max(0.0, pace.epoch_s * least - low),
        high=None if high is None else pace.epoch_s * most + high,
    )
