"""Plays strategies on a recorded table, in many orders of its trials.

Shapes: S seeds, R orders.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from reports.errors import BadBudget, BadReplay, UnknownStrategy
from reports.frames import StudyFrames
from reports.measures import FloatArray, IntArray
from reports.replaying.ladder import Played, played
from reports.replaying.results import Replays, Spread, StrategyReplay
from reports.replaying.strategies import STRATEGIES, Sampler, Strategy, strategies
from reports.replaying.table import RecordedTable, recorded_table
from reports.spending.axes import CostAxis
from reports.spending.budget import Budget

SHARES: Final = tuple(k / 20 for k in range(1, 21))
"""Budgets, as shares of what the whole table has cost."""

_ORDER_LEVELS: Final = (0.1, 0.9)
_SLACK: Final = 1e-9  # the last bits of a mean over orders
_BLOCK: Final = 2**21  # steps that are held at once


def replay(
    frames: StudyFrames,
    search: str | None = None,
    *,
    stage: int | None = None,
    strategy: Sequence[str] = STRATEGIES,
    orders: int = 1000,
    axis: CostAxis | None = None,
    at: Sequence[Budget] = (),
    eta: int = 3,
    seed: int = 0,
    sampler: Sampler | None = None,
) -> Replays:
    """Play strategies on a stage that a study has recorded; nothing is trained.

    Args:
        frames: The study.
        search: Name of the search; by default the one with the largest stage.
        stage: The stage, counted from 0; by default the one with the most trials.
        strategy: Names of strategies.
        orders: How many orders of the trials are played, from 1.
        axis: Unit of budgets and shares, as of budget curves; of ``runs``, parts of them count. By
            default that of `at`, else device-seconds, each run alone.
        at: Budgets of one unit, beside shares of the whole table's cost.
        eta: Of the trials at a rung, halving, Hyperband and ASHA keep one in so many, from 2.
        seed: All that is random is drawn from it.
        sampler: Plays TPE.

    Raises:
        BadReplay: `orders` or `eta` is too low.
        BadBudget: The budgets are not in the unit of `axis`.
        UnknownAxis: There is no such unit, or it was not recorded; says why.
        UnknownStrategy: Nobody can replay a strategy of that name.
        UnknownSearch: The study has no such search of a weighting or a function.
        NothingToReplay: There is no such stage, or it has no trial that can win.
    """
    for name, number, least in (("orders", orders, 1), ("eta", eta, 2)):
        if number < least:
            raise BadReplay(f"`{name}` must be at least {least}. Got {number}. Raise it.")
    unit = _unit(axis, at)
    known = strategies(eta=eta, sampler=sampler)
    for name in strategy:
        if name not in known:
            raise UnknownStrategy(
                f"A strategy must be one that can be replayed. Got {name!r}. "
                f"Use some of: {', '.join(known)}."
            )
    asked = {name: known[name] for name in dict.fromkeys(strategy)}
    curves = any(one.needs_curves for one in asked.values())
    table = recorded_table(frames, search, stage=stage, axis=unit, curves=curves)
    return on_table(table, asked, orders=orders, axis=unit, at=at, seed=seed)


def _unit(axis: CostAxis | None, at: Sequence[Budget]) -> CostAxis:
    """The unit in which budgets and shares are counted."""
    units = dict.fromkeys([*([axis] if axis else []), *(budget.axis for budget in at)])
    if len(units) > 1:
        raise BadBudget(
            f"Budgets and shares of the cost must be in one unit. Got {', '.join(units)}. "
            "Leave `axis` to the budgets."
        )
    return next(iter(units), "solo_s")


def on_table(
    table: RecordedTable,
    asked: Mapping[str, Strategy],
    *,
    orders: int,
    axis: CostAxis = "solo_s",
    at: Sequence[Budget] = (),
    seed: int = 0,
) -> Replays:
    """Play strategies on a table; the same seed gives the same orders to all of them."""
    refused = {name: why for name, one in asked.items() if (why := one.refusal(table))}
    arena = _Arena(table, axis, [budget.amount for budget in at], orders=orders, seed=seed)
    return Replays(
        table=table,
        axis=axis,
        at=tuple(at),
        whole_value=float(arena.best.mean()),
        seed_sd=float(arena.best.std(ddof=1)) if table.n_seeds > 1 else math.nan,
        whole_cost=arena.whole_cost,
        rows=tuple(arena.row(name, one) for name, one in asked.items() if name not in refused),
        refused=refused,
    )


class _Arena:
    """What all strategies are played on and held against.

    Attributes:
        whole_cost: Axis to what the whole table has cost.
        best: ``[S]``, the score of the whole table's winner, by the seed that scores.
    """

    def __init__(
        self,
        table: RecordedTable,
        axis: CostAxis,
        amounts: Sequence[float],
        *,
        orders: int,
        seed: int,
    ) -> None:
        self._table, self._axis, self._orders, self._seed = table, axis, orders, seed
        self.whole_cost: dict[str, float] = {k: float(c.sum()) for k, c in table.cost.items()}
        self._shares = sorted({*SHARES, *(amount / self.whole_cost[axis] for amount in amounts)})
        self._scoring = range(table.n_seeds)
        self._winners = [table.by_epochs(scoring).winner() for scoring in self._scoring]
        self.best: FloatArray = table.scores[self._winners, np.arange(table.n_seeds)]

    def row(self, name: str, one: Strategy) -> StrategyReplay:
        """Play one strategy."""
        n_orders = min(self._orders, one.most_orders or self._orders)
        rng = np.random.default_rng(self._seed)
        n_trials, margin = self._table.n_trials, self._table.margin
        orders = rng.permuted(np.tile(np.arange(n_trials), (n_orders, 1)), axis=1)
        folds = [_together([*self._blocks(one, s, orders, rng)]) for s in self._scoring]
        at_end = np.stack([fold.at_end for fold in folds])
        behind = self._table.objective.sign * (at_end - self.best[:, None])
        found = [fold.winners == best for fold, best in zip(folds, self._winners, strict=True)]
        cost: dict[str, float] = {
            axis: float(np.mean([fold.cost[axis] for fold in folds])) for axis in self.whole_cost
        }
        at_budgets = {
            share: _spread(np.stack([fold.at_budgets[:, k] for fold in folds]))
            for k, share in enumerate(self._shares)
        }
        return StrategyReplay(
            strategy=name,
            title=one.title,
            orders=n_orders,
            at_end=_spread(at_end),
            at_budgets=at_budgets,
            cost=cost,
            share=cost[self._axis] / self.whole_cost[self._axis],
            finds_winner=float(np.mean(found)),
            finds_near=math.nan if margin is None else float(np.mean(behind <= margin)),
            near_from=self._near_from(at_budgets),
        )

    def _near_from(self, at_budgets: Mapping[float, Spread]) -> float:
        """The first share of the cost from which on the mean is near the winner for good."""
        best, sign, first = float(self.best.mean()), self._table.objective.sign, math.inf
        for share in reversed(SHARES):
            behind = sign * (at_budgets[share].mean - best)
            # not so for NaN, nor without a margin
            if not behind <= (self._table.margin or 0.0) + _SLACK:
                break
            first = share
        return first if self._table.margin is not None else math.inf

    def _blocks(
        self, one: Strategy, scoring: int, orders: IntArray, rng: np.random.Generator
    ) -> Iterator[Played]:
        """Plays of as many orders at once as fit into a block."""
        table, budgets = (
            self._table,
            [share * self.whole_cost[self._axis] for share in self._shares],
        )
        n_levels = max(table.n_seeds, table.n_epochs.bit_length())
        size = max(1, _BLOCK // (table.n_trials * n_levels))
        for begin in range(0, len(orders), size):
            for ladder, play in one.plays(table, scoring, orders[begin : begin + size], rng):
                yield played(ladder, play, axis=self._axis, budgets=budgets)


def _together(parts: Sequence[Played]) -> Played:
    return Played(
        at_budgets=np.concatenate([part.at_budgets for part in parts]),
        at_end=np.concatenate([part.at_end for part in parts]),
        winners=np.concatenate([part.winners for part in parts]),
        cost={key: np.concatenate([part.cost[key] for part in parts]) for key in parts[0].cost},
    )


def _spread(values: FloatArray) -> Spread:
    """Of values ``[S, R]``: one a seed that scores and order."""
    by_order = values.mean(axis=0)
    low, high = np.quantile(values, _ORDER_LEVELS, axis=1, method="inverted_cdf").mean(axis=1)
    n_orders = len(by_order)
    error = float(by_order.std(ddof=1)) / math.sqrt(n_orders) if n_orders > 1 else 0.0
    return Spread(mean=float(by_order.mean()), low=float(low), high=float(high), error=error)
