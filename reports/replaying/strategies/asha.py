"""ASHA (Li et al. 2020), with its promotions turned into stops as in a stage's `stop`."""

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reports.measures import FloatArray, IntArray
from reports.replaying.ladder import Ladder, Play
from reports.replaying.strategies._rungs import OnRungs


def asha(eta: int) -> OnRungs:
    """Each trial is judged at once at a rung, among those that have been there before it.

    As one worker plays it: a trial goes on until it is stopped or done, then the next one begins.
    It is stopped unless it is of the best one in `eta`. The order is that of arrival.
    """

    def climbed(ladder: Ladder, orders: IntArray) -> Play:
        shape = (*orders.shape, ladder.n_levels)
        level = np.broadcast_to(np.arange(ladder.n_levels), shape)
        begins = np.ones(orders.shape, dtype=np.bool_)
        goes = np.stack([begins, *_kept(ladder, orders, eta)], axis=2)
        flat = (len(orders), -1)
        return Play(
            trials=np.where(goes, orders[:, :, None], -1).reshape(flat),
            begun=(level - 1).reshape(flat),
            reached=level.reshape(flat),
        )

    title = f"one by one, stopped if not of the best 1 in {eta} so far"
    return OnRungs(eta=eta, title=title, climbed=climbed)


def _kept(ladder: Ladder, orders: IntArray, eta: int) -> list[npt.NDArray[np.bool_]]:
    """Rung by rung, which trials ``[R, N]`` that have come there go on."""
    there, found = np.ones(orders.shape, dtype=np.bool_), []
    for rung in range(ladder.n_levels - 1):
        keys = ladder.keys[orders, rung]
        counted = there & np.isfinite(keys)
        n_seen = counted.cumsum(axis=1)
        few = n_seen < eta  # nobody is stopped among fewer than the kept share needs
        n_better = _better_before(np.where(counted, keys, np.inf))
        there = counted & (few | (n_better < -(-n_seen // eta)))
        found.append(there)
    return found


def _better_before(keys: FloatArray) -> IntArray:
    """How many of the columns before are lower, ``[R, N]``; any number where a key is infinite."""
    return np.array([_lower_before(row) for row in keys.tolist()])  # lists are faster than arrays


def _lower_before(keys: Sequence[float]) -> list[int]:
    seen: list[float] = []
    counts = []
    for key in keys:
        at = 0
        if key < math.inf:
            at = bisect_left(seen, key)
            seen.insert(at, key)
        counts.append(at)
    return counts
