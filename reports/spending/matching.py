"""What it costs to match a reference (MEASURES M11): by its whole grid, and fairly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reports._digits import finite
from reports._ranking import objective_of
from reports._spread import components_of
from reports._titles import title_of
from reports.frames import StudyFrames
from reports.measures import FloatArray, IntArray
from reports.spending.axes import AXES, CostAxis, require
from reports.spending.curves import Trajectory, trajectory
from reports.spending.draws import N_DRAWS, Draws
from reports.timings import step_ratio

# Draws look at so many points of a curve at most.
_MOST_POINTS: Final = 150
_ENDS: Final = (0.025, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two costs with its 95 % interval over draws.

    Attributes:
        value: Infinite if the quality is never reached.
        low: 2.5 % quantile; NaN with one seed.
        high: 97.5 % quantile; infinite where more than 2.5 % of the draws are.
    """

    value: float
    low: float
    high: float

    @property
    def said(self) -> str:
        """The ratio in two digits that count, or ``never``."""
        return _times(self.value)

    @property
    def spread(self) -> str:
        """The interval behind a number, with a space before it."""
        if math.isnan(self.low):
            return " (one seed: no interval)"
        if math.isinf(self.low):
            return " (nor in 97.5 % of draws)"
        return f" (95 % interval {_times(self.low)} to {_times(self.high)})"

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: None where there is no number, and which are infinite."""
        named = {"value": self.value, "low": self.low, "high": self.high}
        infinite = [name for name, number in named.items() if math.isinf(number)]
        return {**{name: finite(number) for name, number in named.items()}, "never": infinite}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostToMatch:
    """What a search pays until it is, for good, no more than a margin worse than a reference.

    Attributes:
        search: Name of the search.
        title: How reports call it.
        reference: Name of the reference's search.
        reference_title: How reports call that.
        axis: Unit of the costs.
        margin: How much worse than the reference's final value still counts as matched.
        target: The value to reach: the reference's final one and the margin.
        cost: What the search pays until then; infinite if it never gets there.
        reference_full: What the reference's whole search costs.
        reference_arrival: What the reference itself pays until it is there.
        fair: `cost` / `reference_arrival`: both are asked for the same quality.
        full: `cost` / `reference_full`: flatters a search of which less is asked than of the grid.
        never_share: Share of draws in which the search does not get there; NaN with one seed.
    """

    search: str
    title: str
    reference: str
    reference_title: str
    axis: CostAxis
    margin: float
    target: float
    cost: float
    reference_full: float
    reference_arrival: float
    fair: Ratio
    full: Ratio
    never_share: float

    @property
    def sentence(self) -> str:
        """The fair ratio with its interval."""
        other, unit = self.reference_title, AXES[self.axis].unit
        goal = f"reach the final value of {other}"
        if self.margin:
            points = "point" if self.margin == 1 else "points"
            goal = f"get within {self.margin:g} {points} of the final value of {other}"
        if math.isinf(self.cost):
            return (
                f"{self.title} does not {goal} with all it spends; its cost in units of what "
                f"{other} itself pays for that: never{self.fair.spread}."
            )
        return (
            f"To {goal}, {self.title} pays {self.fair.said} times{self.fair.spread} what {other} "
            f"itself pays for that, in {unit}."
        )

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: None for infinite costs."""
        return {
            "search": self.search,
            "reference": self.reference,
            "axis": self.axis,
            "margin": self.margin,
            "target": self.target,
            "reached": math.isfinite(self.cost),
            "cost": finite(self.cost),
            "reference_full": self.reference_full,
            "reference_arrival": self.reference_arrival,
            "fair_ratio": self.fair.to_plain(),
            "full_ratio": self.full.to_plain(),
            "never_share": finite(self.never_share),
        }


def costs_to_match(
    frames: StudyFrames,
    searches: Sequence[str],
    reference: str,
    *,
    margin: float,
    axis: CostAxis = "solo_s",
) -> tuple[CostToMatch, ...]:
    """Compare what searches pay for the same quality as a reference.

    Args:
        searches: Which to compare; those without a curve are left out.
        margin: In the objective's unit; at least 0.

    Returns:
        None while the reference has no curve.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
    """
    known = require(frames, axis)
    theirs = trajectory(frames, reference)
    if theirs is None:
        return ()
    goal = _Goal(frames, reference, theirs, axis=known, margin=margin)
    found = ((search, trajectory(frames, search)) for search in searches)
    return tuple(goal.matched(search, path) for search, path in found if path is not None)


class _Goal:
    """The quality to reach, as found and in each draw."""

    def __init__(
        self,
        frames: StudyFrames,
        reference: str,
        path: Trajectory,
        *,
        axis: CostAxis,
        margin: float,
    ) -> None:
        self._frames, self._reference, self._axis, self._margin = frames, reference, axis, margin
        self._sign = objective_of(frames).sign
        self._target = self._sign * float(path.value[-1]) + margin
        cost = path.costs(frames, axis)
        self._full, self._arrival = float(cost[-1]), self._arrives(path, cost)
        n_seeds = len(path.by_seed)
        self._draws = Draws(n_seeds) if n_seeds > 1 else None  # one seed tells no spread
        self._drawn_targets = np.array([])
        self._drawn_arrivals = np.array([])
        if drawn := self._drawn(reference, path, cost):
            self._drawn_targets = drawn[0][:, -1] + margin
            self._drawn_arrivals = _arrivals(*drawn, self._drawn_targets)

    def matched(self, search: str, path: Trajectory) -> CostToMatch:
        """What a search pays until it is there."""
        costs = path.costs(self._frames, self._axis)
        drawn = self._drawn(search, path, costs) if len(self._drawn_targets) else None
        there = None if drawn is None else drawn[0] <= self._drawn_targets[:, None]
        alone = self._axis == "solo_s"
        steps = step_ratio(self._frames, search, self._reference) if alone else None
        # costs alone are as sure as their timings
        timed = np.ones(N_DRAWS) if steps is None else steps.draws(N_DRAWS)
        cost = self._arrives(path, costs)

        def ratio(of: float, of_drawn: FloatArray | float) -> Ratio:
            ends = (
                None if drawn is None or there is None else _ends(there, drawn[1], of_drawn / timed)
            )
            return _ratio(cost, of, ends)

        return CostToMatch(
            search=search,
            title=title_of(self._frames, search),
            reference=self._reference,
            reference_title=title_of(self._frames, self._reference),
            axis=self._axis,
            margin=self._margin,
            target=self._sign * self._target,
            cost=cost,
            reference_full=self._full,
            reference_arrival=self._arrival,
            fair=ratio(self._arrival, self._drawn_arrivals),
            full=ratio(self._full, self._full),
            never_share=math.nan if there is None else float(np.mean(~there[:, -1])),
        )

    def _arrives(self, path: Trajectory, cost: FloatArray) -> float:
        values = self._sign * path.value[None]
        return float(_arrivals(values, cost, np.array([self._target]))[0])

    def _drawn(
        self, search: str, path: Trajectory, cost: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        """Draws of a curve, ``[D, m]`` where lower is better, and its costs ``[m]``."""
        layout = components_of(self._frames, search)
        if self._draws is None or layout is None:
            return None
        points = _few(len(cost))
        shares, mixed = path.winners(points), path.mixed
        values = self._draws.of(search, layout, path.value[points], shares, mixed=mixed)
        return self._sign * values, cost[points]


def _arrivals(values: FloatArray, cost: FloatArray, target: FloatArray) -> FloatArray:
    """The smallest cost from which on a path is at its target or below, ``[D]``.

    Args:
        values: ``[D, n]``, where lower is better.
        cost: ``[n]``.
        target: ``[D]``.

    Returns:
        Infinity where the last value is above.
    """
    above = values > target[:, None]
    # one behind the last point that is above
    behind = np.where(above.any(axis=1), values.shape[1] - np.argmax(above[:, ::-1], axis=1), 0)
    return np.append(cost, np.inf)[behind]


def _few(n: int) -> IntArray:
    """Positions on a curve of n points: all, or some that lie ever wider, with both ends."""
    if n <= _MOST_POINTS:
        return np.arange(n)
    return np.unique(np.geomspace(1, n, _MOST_POINTS).round().astype(np.int64)) - 1


def _ratio(cost: float, of: float, ends: tuple[float, float] | None) -> Ratio:
    """A ratio with its interval; NaN where there is nothing to divide by."""
    if of <= 0:
        return Ratio(value=math.nan, low=math.nan, high=math.nan)
    low, high = ends or (math.nan, math.nan)
    return Ratio(value=cost / of, low=low, high=high)


def _ends(there: npt.NDArray[np.bool_], cost: FloatArray, of: FloatArray) -> tuple[float, float]:
    """From which ratio of costs on so many of the draws are at their target, for good.

    The share is that at each ratio by itself: that a draw stays at its target from there on asks
    all later points at once, and would make both ends later the more points there are.

    Args:
        there: ``[D, m]``, whether a draw is at its target or below at a point of the curve.
        cost: ``[m]``, of the points.
        of: ``[D]``, what costs are divided by in each draw.

    Returns:
        The ends for 2.5 % and for 97.5 % of the draws; infinity where it is never so many.
    """
    change = np.diff(there.astype(np.int8), axis=1, prepend=0)
    draw, point = np.nonzero(change)
    at = cost[point] / of[draw]
    order = np.argsort(at, kind="stable")
    at, share = at[order], np.cumsum(change[draw, point][order]) / len(there)
    last = np.append(at[1:] > at[:-1], True)[: len(at)]  # of those at one ratio
    at, share = at[last], share[last]
    low, high = (float(_for_good(at, share >= least)) for least in _ENDS)
    return low, high


def _for_good(at: FloatArray, holds: npt.NDArray[np.bool_]) -> float:
    """The first of rising positions from which on it always holds; infinity if it does not."""
    if not len(holds) or not holds[-1]:
        return math.inf
    fails = np.flatnonzero(~holds)
    return float(at[fails[-1] + 1 if len(fails) else 0])


def _times(ratio: float) -> str:
    """Two digits that count."""
    if math.isinf(ratio):
        return "never"
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.3g}"
