"""Hyperband (Li et al. 2018): halving from several first rungs, one bracket after the other."""

import math
from collections.abc import Iterator

import numpy as np

from reports.measures import IntArray
from reports.replaying.ladder import Ladder, Play
from reports.replaying.strategies._rungs import OnRungs, halved


def hyperband(eta: int) -> OnRungs:
    """Brackets take trials in turn, each once, and begin anew until the table is used up.

    A bracket that is judged first at the s-th rung before the end has
    ceil((s_max + 1) / (s + 1) eta^s) trials. The order deals trials out to the brackets.
    """

    def climbed(ladder: Ladder, orders: IntArray) -> Play:
        brackets = list(_brackets(ladder, orders, eta))
        return Play(
            trials=np.concatenate([play.trials for play in brackets], axis=1),
            begun=np.concatenate([play.begun for play in brackets], axis=1),
            reached=np.concatenate([play.reached for play in brackets], axis=1),
        )

    return OnRungs(eta=eta, title=f"brackets of halving, 1 in {eta} goes on", climbed=climbed)


def _brackets(ladder: Ladder, orders: IntArray, eta: int) -> Iterator[Play]:
    most, begin, n_trials = ladder.n_levels - 1, 0, orders.shape[1]
    while begin < n_trials:
        for rung in range(most + 1):
            s = most - rung
            size = math.ceil((most + 1) / (s + 1) * eta**s)
            group = orders[:, begin : begin + size]
            if group.shape[1]:
                yield halved(ladder, group, rung, eta)
            begin += size
