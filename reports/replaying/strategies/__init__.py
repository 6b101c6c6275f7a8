"""Strategies that can be replayed: a file each, found by its name.

Each is pure: orders in, plays out. `random_order.py` is the file to copy for another one.
"""

from reports.replaying.strategies._protocol import Plays, Sampler, Strategy
from reports.replaying.strategies._rungs import rungs
from reports.replaying.strategies.asha import asha
from reports.replaying.strategies.halving import halving
from reports.replaying.strategies.hyperband import hyperband
from reports.replaying.strategies.line import Line
from reports.replaying.strategies.racing import Racing
from reports.replaying.strategies.random_order import RandomOrder
from reports.replaying.strategies.staged import Staged
from reports.replaying.strategies.tpe import Tpe

STRATEGIES = ("random", "tpe", "halving", "hyperband", "asha", "line", "staged", "racing")
"""Names of the strategies that can be replayed."""

__all__ = ["STRATEGIES", "Plays", "Sampler", "Strategy", "rungs", "strategies"]


def strategies(*, eta: int = 3, sampler: Sampler | None = None) -> dict[str, Strategy]:
    """All strategies by name.

    Args:
        eta: Of the trials at a rung, halving, Hyperband and ASHA keep one in so many.
        sampler: Plays TPE.
    """
    known: list[Strategy] = [
        RandomOrder(),
        Tpe(sampler),
        halving(eta),
        hyperband(eta),
        asha(eta),
        Line(),
        Staged(),
        Racing(),
    ]
    return dict(zip(STRATEGIES, known, strict=True))
