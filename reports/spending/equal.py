"""All methods at one and the same budget: which to tune with so much, and how sure is that."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from reports._ranking import number, objective_of
from reports._spread import components_of
from reports._titles import title_of
from reports.errors import BadBudget
from reports.frames import StudyFrames
from reports.inference import Interval, share_better
from reports.inference.ranks import rank_bounds
from reports.measures import FloatArray, IntArray
from reports.spending.axes import CostAxis
from reports.spending.budget import Budget
from reports.spending.curves import BudgetCurve, budget_curves, is_finished, trajectory
from reports.spending.draws import N_DRAWS, Draws
from reports.timings import epoch_times
from storage.objectives.delta_m import NAME as DELTA_M

# Natural budgets that are nearer than this are one: a table of many columns answers nobody.
_NEAR: Final = 1.1
_MOST_NATURAL: Final = 5
# Of those that a budget may have paid for, so many are looked at.
_MOST_POINTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AtBudget:
    """One method at one budget.

    Attributes:
        value: Expected test value of its incumbent; NaN if the budget is too small for the first
            winner.
        interval: Of `value`; None where there is one seed, or no value. In time alone it holds all
            that the budget may have bought, as sure as epochs were timed.
        share_spent: What that has cost, as a share of the whole search; 0 without a value.
        first_cost: What the first certain winner costs; infinite while there is none.
        finished: Whether no run of its search is outstanding; else shares and costs are those of
            what it has come to so far.
        better: P(better), of a seed of this method against one of another, by the other's search;
            ties count one half. Empty without a value.
        rank: 1 for the best value of this budget; None without one.
        rank_low: 2.5 % quantile of its rank over draws of all methods; None without an interval.
        rank_high: 97.5 % quantile.
    """

    search: str
    title: str
    value: float
    interval: Interval | None
    share_spent: float
    first_cost: float
    finished: bool
    better: Mapping[str, float]
    rank: int | None
    rank_low: int | None
    rank_high: int | None

    @property
    def complete(self) -> bool:
        """Whether the budget pays for the whole search."""
        return self.share_spent == 1.0

    @property
    def share_said(self) -> str:
        """``all``, ``30 %`` or ``30 % so far``; a dash without a value."""
        if self.rank is None:
            return "–"
        said = "all" if self.complete else f"{100 * self.share_spent:.0f} %"
        return said if self.finished else f"{said} so far"

    @property
    def rank_said(self) -> str:
        """``2 (1 to 4)``; a dash without a value."""
        if self.rank is None:
            return "–"
        return (
            str(self.rank)
            if self.rank_low is None
            else (f"{self.rank} ({self.rank_low} to {self.rank_high})")
        )

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "search": self.search,
            "method": self.title,
            "value": None if math.isnan(self.value) else self.value,
            "low": self.interval and self.interval.low,
            "high": self.interval and self.interval.high,
            "share_spent": self.share_spent,
            "finished": self.finished,
            "first_cost": None if math.isinf(self.first_cost) else self.first_cost,
            "p_better": dict(self.better),
            "rank": self.rank,
            "rank_low": self.rank_low,
            "rank_high": self.rank_high,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualBudget:
    """All methods at one budget.

    Attributes:
        why: What makes a natural budget one to look at; empty if it was asked for.
        methods: Best first; those without a value last.
    """

    budget: Budget
    why: str
    methods: tuple[AtBudget, ...]

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "axis": self.budget.axis,
            "budget": self.budget.amount,
            "why": self.why,
            "methods": [method.to_plain() for method in self.methods],
        }


def equal_budgets(
    frames: StudyFrames,
    budgets: Sequence[Budget] | None = None,
    *,
    axis: CostAxis = "solo_s",
) -> tuple[EqualBudget, ...]:
    """What each method reaches with so much, chosen on validation and expected over orders.

    Args:
        budgets: Of one unit; None for the natural ones: what each search costs in full, where
            those within a tenth of each other are one.
        axis: Unit of the natural budgets.

    Returns:
        One a budget, rising; empty while no search has a winner.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
        BadBudget: Budgets are of several units.
    """
    units = {budget.axis for budget in budgets or ()} or {axis}
    if len(units) > 1:
        raise BadBudget(f"Budgets must be of one unit. Got: {', '.join(sorted(units))}.")
    curves = budget_curves(frames, units.pop())
    asked = natural_budgets(curves) if budgets is None else [(one, "") for one in budgets]
    return tuple(
        EqualBudget(budget=budget, why=why, methods=_methods(frames, curves, budget.amount))
        for budget, why in asked
        if curves
    )


def value_said(frames: StudyFrames, one: AtBudget) -> str:
    """``+1.2 % [+0.4 to +2.0]``; a dash without a value."""
    if math.isnan(one.value):
        return "–"
    objective = objective_of(frames)
    within = ""
    if one.interval is not None:
        plain = replace(objective, unit="")
        within = f" [{number(plain, one.interval.low)} to {number(plain, one.interval.high)}]"
    return f"{number(objective, one.value)}{within}"


def not_held_said(frames: StudyFrames) -> str:
    """What the intervals at equal budgets leave out; empty where nothing is relative to STL."""
    said = "The seed error of single-task networks, which all methods share, is in no interval."
    return said if objective_of(frames).name == DELTA_M else ""


def natural_budgets(curves: Sequence[BudgetCurve]) -> list[tuple[Budget, str]]:
    """What each search costs in full, rising, and whose cost that is; five at most."""
    groups: list[list[BudgetCurve]] = []
    for curve in sorted(curves, key=lambda curve: float(curve.cost[-1])):
        near = groups and curve.cost[-1] <= _NEAR * groups[-1][0].cost[-1]
        groups[-1].append(curve) if near else groups.append([curve])
    while len(groups) > _MOST_NATURAL:
        steps = [after[-1].cost[-1] / before[-1].cost[-1] for before, after in pairwise(groups)]
        at = int(np.argmin(steps))
        groups[at : at + 2] = [groups[at] + groups[at + 1]]
    return [
        (
            Budget(axis=group[-1].axis, amount=float(group[-1].cost[-1])),
            f"the whole search of {', '.join(_named(curve) for curve in group)}",
        )
        for group in groups
    ]


def _named(curve: BudgetCurve) -> str:
    return curve.title if curve.finished else f"{curve.title} so far"


def _methods(
    frames: StudyFrames, curves: Sequence[BudgetCurve], amount: float
) -> tuple[AtBudget, ...]:
    sign = objective_of(frames).sign
    reached = {
        curve.search: _reached(frames, curve, at, amount)
        for curve in curves
        if (at := curve.point_at(amount)) is not None
    }
    order = sorted(reached, key=lambda search: (sign * reached[search].value, search))
    bounds = _rank_bounds(frames, reached, sign)
    found = [
        _valued(reached, search, rank, bounds.get(search), sign)
        for rank, search in enumerate(order, start=1)
    ]
    firsts = {curve.search: float(curve.cost[0]) for curve in curves}
    rest = [
        _without_value(frames, search, first_cost=firsts.get(search, math.inf))
        for search in frames.searches
        if search not in reached
    ]
    return (*found, *rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """A curve, and the position on it that the budget has paid for.

    Attributes:
        points: Rising positions that it may have paid for; `at` alone where that is certain.
        bought: ``[D]``, draws of what it has bought, in units of the curve's costs.
    """

    curve: BudgetCurve
    at: int
    points: IntArray
    bought: FloatArray

    @property
    def value(self) -> float:
        return float(self.curve.value[self.at])

    @property
    def scores(self) -> FloatArray:
        """By seed, ``[S]``."""
        return self.curve.by_seed[:, self.at]

    @property
    def interval(self) -> Interval | None:
        """From the lowest to the highest end of the intervals at `points`."""
        own = self.curve.interval_at(self.at)
        ends = [end for at in self.points.tolist() if (end := self.curve.interval_at(at))]
        if own is None:
            return None
        return replace(own, low=min(e.low for e in ends), high=max(e.high for e in ends))

    def drawn(self, values: FloatArray) -> FloatArray:
        """Of draws at `points` ``[D, m]`` those at what each has bought, ``[D, 1]``."""
        paid = np.searchsorted(self.curve.cost[self.points], self.bought, side="right") - 1
        return np.take_along_axis(values, np.maximum(paid, 0)[:, None], axis=1)


def _reached(frames: StudyFrames, curve: BudgetCurve, at: int, amount: float) -> _Reached:
    """What a budget buys: in time alone no surer than an epoch was timed.

    A budget that is what the search has cost pays for all of it, whatever that is.
    """
    time = epoch_times(frames).get(curve.search) if curve.axis == "solo_s" else None
    whole = math.isclose(amount, curve.cost[-1], rel_tol=1e-9)
    ends = time.scaled(amount) if time and not whole else None
    if time is None or ends is None:
        bought = np.full(N_DRAWS, curve.cost[at])
        return _Reached(curve=curve, at=at, points=np.array([at]), bought=bought)
    first, last = (curve.point_at(end) or 0 for end in (ends.low, ends.high))
    spread = np.linspace(first, last, _MOST_POINTS).round().astype(np.int64)
    return _Reached(
        curve=curve,
        at=at,
        points=np.unique(np.append(spread, at)),
        bought=amount * time.draws(N_DRAWS, curve.search),
    )


def _valued(
    reached: Mapping[str, _Reached],
    search: str,
    rank: int,
    bounds: tuple[int, int] | None,
    sign: float,
) -> AtBudget:
    mine = reached[search]
    curve, at = mine.curve, mine.at
    low, high = bounds or (None, None)
    return AtBudget(
        search=search,
        title=curve.title,
        value=mine.value,
        interval=mine.interval,
        share_spent=float(curve.cost[at] / curve.cost[-1]) if curve.cost[-1] > 0 else 1.0,
        first_cost=float(curve.cost[0]),
        finished=curve.finished,
        better={
            other: share_better(mine.scores, theirs.scores, sign=sign)
            for other, theirs in reached.items()
            if other != search
        },
        rank=rank,
        rank_low=low,
        rank_high=high,
    )


def _without_value(frames: StudyFrames, search: str, *, first_cost: float) -> AtBudget:
    return AtBudget(
        search=search,
        title=title_of(frames, search),
        value=math.nan,
        interval=None,
        share_spent=0.0,
        first_cost=first_cost,
        finished=is_finished(frames, search),
        better={},
        rank=None,
        rank_low=None,
        rank_high=None,
    )


def _rank_bounds(
    frames: StudyFrames, reached: Mapping[str, _Reached], sign: float
) -> dict[str, tuple[int, int]]:
    """The middle 95 % of each method's ranks over draws; none with one seed."""
    n_seeds = len(frames.seeds)
    if n_seeds < 2 or not reached:
        return {}
    draws, columns = Draws(n_seeds), []
    for search, one in reached.items():
        found, layout = trajectory(frames, search), components_of(frames, search)
        if found is None or layout is None:
            return {}
        shares, mixed = found.winners(one.points), found.mixed
        values = draws.of(search, layout, one.curve.value[one.points], shares, mixed=mixed)
        columns.append(one.drawn(values))
    low, high = rank_bounds(np.hstack(columns), sign=sign)
    return {search: (int(low[at]), int(high[at])) for at, search in enumerate(reached)}
