"""Random order: every trial is trained out, one after the other."""

import numpy as np

from reports.measures import IntArray
from reports.replaying.ladder import Play
from reports.replaying.strategies._protocol import Plays
from reports.replaying.table import RecordedTable


class RandomOrder:
    """All trials in random order; once it is through, it has played the whole table."""

    title = "the whole table, in random order"
    needs_curves = False
    most_orders = None

    def refusal(self, table: RecordedTable) -> str:  # noqa: ARG002 - it plays all tables
        """It plays any table."""
        return ""

    def plays(
        self,
        table: RecordedTable,
        scoring: int,
        orders: IntArray,
        rng: np.random.Generator,  # noqa: ARG002 - the orders are all that is random
    ) -> Plays:
        """Each order as it is."""
        yield table.by_epochs(scoring), in_turn(orders)


def in_turn(orders: IntArray) -> Play:
    """Trials ``[R, K]`` that are trained out, one after the other."""
    return Play(trials=orders, begun=np.full_like(orders, -1), reached=np.zeros_like(orders))
