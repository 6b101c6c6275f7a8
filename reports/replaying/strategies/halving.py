"""Successive halving (Jamieson and Talwalkar 2016) of the whole table."""

from reports.measures import IntArray
from reports.replaying.ladder import Ladder, Play
from reports.replaying.strategies._rungs import OnRungs, halved


def halving(eta: int) -> OnRungs:
    """All trials begin; at each rung the best one in `eta` goes on.

    The order says who is trained first, up to the first rung.
    """

    def climbed(ladder: Ladder, orders: IntArray) -> Play:
        return halved(ladder, orders, 0, eta)

    return OnRungs(eta=eta, title=f"all begin, 1 in {eta} goes on at each rung", climbed=climbed)
