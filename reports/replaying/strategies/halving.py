"""Successive halving (Jamieson and Talwalkar 2016) of the whole table."""

import numpy as np

from reports.measures import IntArray
from reports.replaying.strategies import _rungs
from reports.replaying.strategies._protocol import Plays
from reports.replaying.table import RecordedTable


class Halving:
    """All trials begin; at each rung the best one in eta goes on.

    Args:
        eta: Of so many, one goes on.
    """

    needs_curves = True
    most_orders = None

    def __init__(self, eta: int) -> None:
        self._eta = eta
        self.title = f"all begin, 1 in {eta} goes on at each rung"

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
        """The order says who is trained first, up to the first rung."""
        ladder = table.by_epochs(scoring, _rungs.rungs(table.n_epochs, self._eta))
        yield ladder, _rungs.halved(ladder, orders, 0, self._eta)
