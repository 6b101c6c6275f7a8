"""What strategies have come to on a recorded table: values, costs, words and JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports._digits import finite
from reports._ranking import number
from reports.replaying.table import RecordedTable
from reports.spending.axes import CostAxis
from reports.spending.budget import Budget
from storage.wording import counted

_SHOWN = (0.1, 0.25, 0.5)
_Z = 1.96  # of the normal distribution, at 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A value over orders.

    Attributes:
        mean: Over orders and seeds that score; NaN where some order has no winner yet.
        low: 10 % quantile over orders, mean over seeds.
        high: 90 % quantile over orders, mean over seeds.
        error: Standard error of the mean that is left by playing so few orders.
    """

    mean: float
    low: float
    high: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyReplay:
    """What a strategy comes to.

    Attributes:
        strategy: Its name.
        title: What it does.
        orders: How many orders were played.
        at_end: Score of its winner: test value, chosen on validation.
        at_budgets: The same of the best so far, by share of the whole table's cost.
        cost: Axis to the mean cost.
        share: Of the whole table's cost, on the axis of the replay.
        finds_winner: How often its winner is that of the whole table.
        finds_near: How often its winner's score is at most a margin worse than that of the
            whole table's; NaN without a margin.
        near_from: The first of the budgets, as a share, from which on the mean of the best so far
            is for good at most a margin worse than the whole table's winner; infinite if it never
            is, or without a margin.
    """

    strategy: str
    title: str
    orders: int
    at_end: Spread
    at_budgets: Mapping[float, Spread]
    cost: Mapping[str, float]
    share: float
    finds_winner: float
    finds_near: float
    near_from: float

    @property
    def doubt(self) -> float:
        """Half of the widest 95 % interval of a mean at a budget, left by playing few orders."""
        errors = [spread.error for spread in self.at_budgets.values()]
        return _Z * max((error for error in errors if math.isfinite(error)), default=math.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """Strategies on one recorded table.

    Attributes:
        table: What was recorded.
        axis: Unit in which budgets and shares are counted.
        at: Budgets that were asked for.
        whole_value: Score of the whole table's winner, mean over seeds that score.
        seed_sd: Its standard deviation over those seeds; NaN with one.
        whole_cost: Axis to what the whole table has cost.
        rows: What strategies come to, in the order asked for.
        refused: Strategy to why it cannot be replayed.
    """

    table: RecordedTable
    axis: CostAxis
    at: tuple[Budget, ...]
    whole_value: float
    seed_sd: float
    whole_cost: Mapping[str, float]
    rows: tuple[StrategyReplay, ...]
    refused: Mapping[str, str]

    @property
    def scoring(self) -> str:
        """Whether the seeds that chose are other ones than the seed that scores."""
        return "cross-fit" if self.table.n_seeds > 1 else "same seed, optimistic"

    @property
    def shown(self) -> Mapping[str, float]:
        """Some budgets in words, as shares: those that were asked for, else a few parts."""
        whole = self.whole_cost[self.axis]
        if self.at:
            return {budget.said: budget.amount / whole for budget in self.at}
        return {f"{100 * share:.0f} % of the cost": share for share in _SHOWN}

    @property
    def cheapest(self) -> StrategyReplay | None:
        """Who comes first within a margin of the whole table's winner, for less than its cost."""
        near = [row for row in self.rows if row.near_from < 1]
        return min(near, key=lambda row: row.near_from, default=None)

    @property
    def sentence(self) -> str:
        """What is to be learned, with the spread over orders."""
        judged, n_seeds = self.table.judged_on, self.table.n_seeds
        whole = f"The whole table's winner is worth {self._said(self.whole_value)} on {judged}"
        if n_seeds > 1:
            sd = number(self.table.objective, self.seed_sd, plus=False)
            whole += f" (standard deviation over {n_seeds} seeds: {sd})"
        whole += "."
        margin, best = self.table.margin, self.cheapest
        if margin is None:
            return whole
        if best is None:
            return (
                f"{whole} None of these strategies comes within {_points(margin)} of it, on "
                "average over orders, for less than the whole cost."
            )
        there = best.at_budgets[best.near_from]
        return (
            f"{whole} First within {_points(margin)} of it, on average over orders, is "
            f"{best.strategy}, from {100 * best.near_from:.0f} % of the cost on: "
            f"{self._said(there.mean)} ({self._spread(there)}).{self._no_later(best)}"
        )

    def _no_later(self, best: StrategyReplay) -> str:
        """Who is as near from the same budget on: being named first is no lead."""
        others = [
            row.strategy for row in self.rows if row is not best and row.near_from == best.near_from
        ]
        return f" Near from the same cost on: {', '.join(others)}." if others else ""

    @property
    def caveats(self) -> tuple[str, ...]:
        """What must be known of the table and of the play."""
        table, found = self.table, []
        if table.n_seeds == 1:
            found.append("One seed chooses and scores: all values are optimistic. Add seeds.")
        if table.judged_on != "test":
            found.append(
                f"Values are those on {table.judged_on}, which is what trials are chosen by: there "
                "are none on test here."
            )
        if table.left_out:
            found.append(
                f"{counted(table.left_out, 'trial')} of the stage did not end well or are not "
                "scored, and are not in the table."
            )
        if table.adaptive:
            found.append(
                f"These trials were chosen by {table.kind}, which built on its own results: "
                "another strategy would have met other points."
            )
        for row in self.rows:
            if 1 < row.orders < max(other.orders for other in self.rows):
                doubt = number(table.objective, row.doubt, plus=False)
                found.append(
                    f"{row.strategy} was played in {counted(row.orders, 'order')}: what it is "
                    f"worth at a part of the cost is known to ±{doubt} at worst."
                )
        return tuple(found)

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: numbers that are not finite become None."""
        table = self.table
        return {
            "search": table.search,
            "stage": table.stage + 1,
            "recorded_by": table.kind,
            "trials": table.n_trials,
            "left_out": table.left_out,
            "seeds": table.n_seeds,
            "epochs": table.n_epochs,
            "objective": table.objective.name,
            "direction": table.objective.direction,
            "margin": table.margin,
            "judged_on": table.judged_on,
            "scoring": self.scoring,
            "axis": self.axis,
            "value": finite(self.whole_value),
            "seed_sd": finite(self.seed_sd),
            "cost": dict(self.whole_cost),
            "strategies": [_row_to_plain(row, self.whole_cost[self.axis]) for row in self.rows],
            "refused": dict(self.refused),
        }

    def _spread(self, spread: Spread) -> str:
        low, high = self._said(spread.low), self._said(spread.high)
        return "in 8 of 10 orders " + ("the same" if low == high else f"from {low} to {high}")

    def _said(self, value: float) -> str:
        return number(self.table.objective, value)


def _points(margin: float) -> str:
    return f"{margin:g} point" if margin == 1 else f"{margin:g} points"


def _row_to_plain(row: StrategyReplay, whole_cost: float) -> dict[str, Any]:
    return {
        "strategy": row.strategy,
        "title": row.title,
        "orders": row.orders,
        "at_end": _spread_to_plain(row.at_end),
        "at_budgets": [
            {"share": share, "cost": share * whole_cost} | _spread_to_plain(spread)
            for share, spread in row.at_budgets.items()
        ],
        "cost": dict(row.cost),
        "share": row.share,
        "finds_winner": row.finds_winner,
        "finds_near": finite(row.finds_near),
        "near_from": finite(row.near_from),
    }


def _spread_to_plain(spread: Spread) -> dict[str, float | None]:
    return {
        "value": finite(spread.mean),
        "order_low": finite(spread.low),
        "order_high": finite(spread.high),
        "error": finite(spread.error),
    }
