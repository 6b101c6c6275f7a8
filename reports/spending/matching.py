"""What it costs to match a reference (MEASURES M11): by its whole grid, and fairly."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from reports._ranking import objective_of
from reports._spread import components_of
from reports.frames import StudyFrames
from reports.measures import FloatArray, IntArray
from reports.spending.axes import AXES, CostAxis
from reports.spending.curves import BudgetCurve, budget_curve, trajectory
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

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold; ``"never"`` for infinity."""
        return {name: _plain(getattr(self, name)) for name in ("value", "low", "high")}


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
        """Both ratios, each with its interval; the fair one first."""
        other = self.reference_title
        goal = f"to the final value of {other}"
        if self.margin:
            points = "point" if self.margin == 1 else "points"
            goal = f"within {self.margin:g} {points} of the final value of {other}"
        if math.isinf(self.cost):
            return (
                f"{self.title} does not get {goal} with all it spends. In units of what {other} "
                f"itself pays to get there: never{_spread(self.fair)}."
            )
        return (
            f"{self.title} gets {goal} for {_times(self.fair.value)} times what {other} itself "
            f"pays to get there{_spread(self.fair)}, in {AXES[self.axis].unit}: "
            f"{_times(self.full.value)} times the whole search of {other}{_spread(self.full)}."
        )

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold; ``"never"`` for infinite costs."""
        return {
            "search": self.search,
            "reference": self.reference,
            "axis": self.axis,
            "margin": self.margin,
            "target": self.target,
            "cost": _plain(self.cost),
            "reference_full": self.reference_full,
            "reference_arrival": self.reference_arrival,
            "fair_ratio": self.fair.to_plain(),
            "full_ratio": self.full.to_plain(),
            "never_share": _plain(self.never_share),
        }


def cost_to_match(
    frames: StudyFrames,
    search: str,
    reference: str,
    *,
    margin: float,
    axis: CostAxis = "solo_s",
) -> CostToMatch | None:
    """Compare what two searches pay for the same quality.

    Args:
        margin: In the objective's unit; at least 0.

    Returns:
        None while one of both has no curve.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
        UnknownSearch: The study has no such search.
    """
    mine, theirs = (budget_curve(frames, name, axis=axis) for name in (search, reference))
    if mine is None or theirs is None:
        return None
    sign = objective_of(frames).sign
    target = float(theirs.value[-1]) + sign * margin
    cost, arrival = (
        float(_arrivals(sign * curve.value[None], curve.cost, np.array([sign * target]))[0])
        for curve in (mine, theirs)
    )
    full = float(theirs.cost[-1])
    drawn = _drawn(frames, mine, theirs, sign=sign, margin=margin)
    return CostToMatch(
        search=search,
        title=mine.title,
        reference=reference,
        reference_title=theirs.title,
        axis=axis,
        margin=margin,
        target=target,
        cost=cost,
        reference_full=full,
        reference_arrival=arrival,
        fair=_ratio(_over(cost, arrival), None if drawn is None else drawn[0] / drawn[1]),
        full=_ratio(_over(cost, full), None if drawn is None else drawn[0] / full),
        never_share=math.nan if drawn is None else float(np.mean(np.isinf(drawn[0]))),
    )


def _drawn(
    frames: StudyFrames, mine: BudgetCurve, theirs: BudgetCurve, *, sign: float, margin: float
) -> tuple[FloatArray, FloatArray] | None:
    """The costs of both in each draw, ``[D]``; None with one seed, which tells no spread."""
    if len(mine.by_seed) < 2:
        return None
    draws = Draws(len(mine.by_seed))
    paths = []
    for curve in (mine, theirs):
        found, layout = trajectory(frames, curve.search), components_of(frames, curve.search)
        if found is None or layout is None:
            return None
        points = _few(len(curve.cost))
        values = draws.of(curve.search, layout, curve.value[points], found.winners(points))
        paths.append((sign * values, curve.cost[points]))
    target = paths[1][0][:, -1] + margin
    mine_s = _arrivals(*paths[0], target)
    steps = step_ratio(frames, mine.search, theirs.search) if mine.axis == "solo_s" else None
    if steps is not None:  # costs alone are as sure as the timings that they rest on
        mine_s = mine_s * steps.draws(N_DRAWS)
    return mine_s, _arrivals(*paths[1], target)


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


def _ratio(value: float, drawn: FloatArray | None) -> Ratio:
    if drawn is None:
        return Ratio(value=value, low=math.nan, high=math.nan)
    low, high = np.quantile(drawn, _ENDS, method="inverted_cdf")
    return Ratio(value=value, low=float(low), high=float(high))


def _spread(ratio: Ratio) -> str:
    if math.isnan(ratio.low):
        return " (one seed: no interval)"
    return f" (95 % interval {_times(ratio.low)} to {_times(ratio.high)})"


def _times(ratio: float) -> str:
    """Two digits that count."""
    if math.isinf(ratio):
        return "never"
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.3g}"


def _over(cost: float, other: float) -> float:
    return cost / other if other > 0 else math.nan


def _plain(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return "never" if math.isinf(value) else value
