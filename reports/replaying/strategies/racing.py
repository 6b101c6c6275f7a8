"""Racing over seeds: a trial gets another seed only while it may still be the best.

Shapes: N trials, S seeds, R orders.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import numpy.typing as npt

from reports.inference.student import t_quantile
from reports.measures import FloatArray, IntArray
from reports.replaying.ladder import Ladder, Play
from reports.replaying.strategies._protocol import Plays
from reports.replaying.table import RecordedTable

_FEWEST_SEEDS = 3
_MISTAKES = 0.05  # how often the best trial may leave, each time that it is looked at
_MOST_SEED_ORDERS = 24


class Racing:
    """All trials are trained out on two seeds; whoever is clearly behind gets no more.

    After k seeds a trial leaves if its mean lies behind the best one's by more than
    t s sqrt(2 / k): s^2 is the residual variance of the table of the n trials in the race and their
    seeds so far, t the one-sided quantile at its degrees of freedom and 1 - 0.05 / (n - 1): the
    trial that is best in truth stays with at least 95 %, whoever of the others has luck.
    """

    title = "seed by seed, out if behind the best by more than a t-bound"
    needs_curves = False
    most_orders = None

    def refusal(self, table: RecordedTable) -> str:
        """Tables with too few seeds are refused."""
        if table.n_seeds >= _FEWEST_SEEDS:
            return ""
        return (
            f"it can save the third seed at the earliest, and the study has {table.n_seeds}: two "
            "are needed to tell seeds from trials"
        )

    def plays(
        self, table: RecordedTable, scoring: int, orders: IntArray, rng: np.random.Generator
    ) -> Plays:
        """The order of trials is that within a seed; orders of seeds are dealt out to them."""
        seed_orders = _seed_orders(table.choosing(scoring).tolist(), len(orders), rng)
        for number, seeds in enumerate(seed_orders):
            ladder = table.by_seeds(scoring, seeds)
            gets = racing(table.keys[:, seeds])
            yield ladder, _raced(ladder, gets, orders[number :: len(seed_orders)])


def _seed_orders(
    seeds: Sequence[int], most: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """All orders of some seeds, or as many random ones as are wanted."""
    wanted = min(most, _MOST_SEED_ORDERS)
    if len(seeds) <= 4:  # 24 orders
        every = list(permutations(seeds))
        return [every[k] for k in rng.permutation(len(every))[:wanted]]
    return [tuple(rng.permutation(seeds).tolist()) for _ in range(wanted)]


def racing(keys: FloatArray) -> npt.NDArray[np.bool_]:
    """Who gets which seed ``[N, S]``, given the keys ``[N, S - 1]`` of those that choose.

    The last column is the seed that scores: who is in the race then gets it, too.
    """
    n_trials, n_choosing = keys.shape
    alive = np.ones(n_trials, dtype=np.bool_)
    found = [alive]
    for k in range(1, n_choosing + 1):
        so_far = keys[:, :k]
        alive = alive & np.isfinite(so_far).all(axis=1)
        if k > 1 and alive.sum() > 1:
            alive = alive & _near_the_best(so_far, alive)
        found.append(alive)
    return np.stack(found, axis=1)


def _near_the_best(keys: FloatArray, alive: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whose mean over the seeds so far lies within the bound of the best one's."""
    mine = keys[alive]
    n_trials, n_seeds = mine.shape
    means = mine.mean(axis=1, keepdims=True)
    residuals = mine - means - mine.mean(axis=0) + mine.mean()
    df = (n_trials - 1) * (n_seeds - 1)
    error = np.sqrt(2 / n_seeds * (residuals**2).sum() / df)
    behind = keys.mean(axis=1) - means.min()
    level = 1 - _MISTAKES / (n_trials - 1)
    return np.asarray(behind <= t_quantile(level, df) * error)


def _raced(ladder: Ladder, gets: npt.NDArray[np.bool_], orders: IntArray) -> Play:
    """Seed after seed, the trials that are in the race, in each order."""
    trials = [np.where(gets[orders, level], orders, -1) for level in range(ladder.n_levels)]
    level = np.repeat(np.arange(ladder.n_levels), orders.shape[1])
    reached = np.broadcast_to(level, (len(orders), len(level)))
    return Play(trials=np.concatenate(trials, axis=1), begun=reached - 1, reached=reached)
