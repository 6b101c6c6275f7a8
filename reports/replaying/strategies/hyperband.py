"""Hyperband (Li et al. 2018): halving from several first rungs, one bracket after the other."""

import math

import numpy as np

from reports.measures import IntArray
from reports.replaying.ladder import Play
from reports.replaying.strategies import _rungs
from reports.replaying.strategies._protocol import Plays
from reports.replaying.table import RecordedTable


class Hyperband:
    """Brackets take trials in turn, each once, and begin anew until the table is used up.

    A bracket that is judged first at the s-th rung before the end has
    ceil((s_max + 1) / (s + 1) eta^s) trials.

    Args:
        eta: Of so many, one goes on.
    """

    needs_curves = True
    most_orders = None

    def __init__(self, eta: int) -> None:
        self._eta = eta
        self.title = f"brackets of halving, 1 in {eta} goes on"

    def refusal(self, table: RecordedTable) -> str:
        """Tables without curves are refused."""
        return _rungs.refusal(table, self._eta)

    def plays(
        self,
        table: RecordedTable,
        scoring: int,
        orders: IntArray,
        rng: np.random.Generator,  # noqa: ARG002 - the orders are all that is random
    ) -> Plays:
        """The order deals trials out to the brackets."""
        ladder = table.by_epochs(scoring, _rungs.rungs(table.n_epochs, self._eta))
        most, begin, brackets = ladder.n_levels - 1, 0, []
        while begin < table.n_trials:
            for rung in range(most + 1):
                s = most - rung
                size = math.ceil((most + 1) / (s + 1) * self._eta**s)
                group = orders[:, begin : begin + size]
                if group.shape[1]:
                    brackets.append(_rungs.halved(ladder, group, rung, self._eta))
                begin += size
        yield (
            ladder,
            Play(
                trials=np.concatenate([play.trials for play in brackets], axis=1),
                begun=np.concatenate([play.begun for play in brackets], axis=1),
                reached=np.concatenate([play.reached for play in brackets], axis=1),
            ),
        )
