"""What trials are worth level by level, and what comes of training them in some order.

Shapes: N trials, L levels of effort, R orders, K steps, B budgets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.measures import FloatArray, IntArray

# Sums of costs in another order differ in the last bits, and a budget that is met is met.
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What each trial is worth at each level of effort; the last level is a trial that is done.

    Attributes:
        keys: ``[N, L]``, what trials are chosen by, lower is better; +inf for diverged ones.
        scores: ``[N, L]``, what the chosen one is judged by.
        cost: Axis to ``[N, L]``, from the start up to the level.
        ties: What decides between equal keys, ``[N]`` each, most important first.
    """

    keys: FloatArray
    scores: FloatArray
    cost: Mapping[str, FloatArray]
    ties: tuple[FloatArray, ...]

    @property
    def n_levels(self) -> int:
        """L."""
        return int(self.keys.shape[1])

    def place(self, trial: int) -> tuple[float, ...]:
        """What a trial that is done is ranked by; the lowest is the best."""
        return (float(self.keys[trial, -1]), *(float(tie[trial]) for tie in self.ties))

    def winner(self) -> int:
        """The best of all trials that are done; -1 if none can win."""
        ranking = _ranking(self)
        done = ranking.rank[:-1].reshape(self.keys.shape)[:, -1]
        return int(ranking.trials[done.min()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """In which order trials are trained how far, in R orders of K steps each.

    Attributes:
        trials: ``[R, K]``; -1 where there is no step.
        begun: ``[R, K]``, the level at which the trial stands; -1 at its start.
        reached: ``[R, K]``, the level to which the step brings it.
    """

    trials: IntArray
    begun: IntArray
    reached: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a play.

    Attributes:
        at_budgets: ``[R, B]``, score of the best trial at each budget; NaN while there is none.
        at_end: ``[R]``, the same when all steps are done.
        winners: ``[R]``, the trial that is the best in the end; -1 if none can win.
        cost: Axis to ``[R]``, of all steps.
    """

    at_budgets: FloatArray
    at_end: FloatArray
    winners: IntArray
    cost: Mapping[str, FloatArray]


def played(ladder: Ladder, play: Play, *, axis: str, budgets: Sequence[float] = ()) -> Played:
    """Follow a play: after each step the best trial is the best one that is done.

    While none is done it is the best as far as each was trained, as one would have it if training
    had to end there.
    """
    ranking = _ranking(ladder)
    stepped = play.trials >= 0
    state = np.where(stepped, play.trials * ladder.n_levels + play.reached, ranking.nothing)
    best = np.minimum.accumulate(ranking.rank[state], axis=1)
    spent = {
        name: np.cumsum(np.where(stepped, _step_cost(cost, play), 0.0), axis=1)
        for name, cost in ladder.cost.items()
    }
    first = np.full((len(best), 1), ranking.rank[ranking.nothing])
    so_far = np.concatenate((first, best), axis=1)
    steps = [(spent[axis] <= budget * _ROUNDING).sum(axis=1) for budget in budgets]
    at = np.stack(steps, axis=1) if steps else np.empty((len(best), 0), dtype=np.int64)
    return Played(
        at_budgets=ranking.scores[np.take_along_axis(so_far, at, axis=1)],
        at_end=ranking.scores[best[:, -1]],
        winners=ranking.trials[best[:, -1]],
        cost={name: total[:, -1] for name, total in spent.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranking:
    """All N x L states in one order; behind them the one of nothing, which cannot win either.

    Attributes:
        rank: ``[N * L + 1]``, by state, which is trial * L + level.
        scores: ``[N * L + 1]``, by rank; NaN for what cannot win.
        trials: ``[N * L + 1]``, by rank; -1 for what cannot win.
    """

    rank: IntArray
    scores: FloatArray
    trials: IntArray

    @property
    def nothing(self) -> int:
        """The state of nothing."""
        return len(self.rank) - 1


def _ranking(ladder: Ladder) -> _Ranking:
    n_trials, n_levels = ladder.keys.shape
    keys = ladder.keys.ravel()
    hopeless = ~np.isfinite(keys)
    under_way = np.tile(np.arange(n_levels) < n_levels - 1, n_trials)
    ties = [np.repeat(tie, n_levels) for tie in ladder.ties]
    order = np.lexsort((*reversed(ties), keys, under_way, hopeless))
    rank = np.empty(len(keys) + 1, dtype=np.int64)
    rank[order] = np.arange(len(keys))
    rank[-1] = len(keys)
    scores = np.where(hopeless, np.nan, ladder.scores.ravel())[order]
    trials = np.where(hopeless, -1, np.repeat(np.arange(n_trials), n_levels))[order]
    return _Ranking(rank=rank, scores=np.append(scores, np.nan), trials=np.append(trials, -1))


def _step_cost(cost: FloatArray, play: Play) -> FloatArray:
    """What each step ``[R, K]`` takes, given what trials have cost up to each level."""
    from_start = np.column_stack((np.zeros(len(cost)), cost))
    return from_start[play.trials, play.reached + 1] - from_start[play.trials, play.begun + 1]
