"""What halving, Hyperband and ASHA share: where rungs lie, and who goes on at one.

Shapes: R orders, N trials, n trials of a round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from reports.measures import FloatArray, IntArray
from reports.replaying.ladder import Ladder, Play
from reports.replaying.strategies._protocol import Plays
from reports.replaying.table import RecordedTable


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRungs:
    """A strategy that judges trials on the way.

    Attributes:
        eta: Of so many trials at a rung, one goes on.
        title: What it does, in a few words.
        climbed: How orders ``[R, N]`` are trained on a ladder, whose levels are the rungs and the
            end.
    """

    needs_curves: ClassVar[bool] = True
    most_orders: ClassVar[None] = None

    eta: int
    title: str
    climbed: Callable[[Ladder, IntArray], Play]

    def refusal(self, table: RecordedTable) -> str:
        """Tables without rungs or without curves are refused."""
        if table.n_epochs < self.eta:
            return (
                f"it judges trials on the way, after at least one epoch in {self.eta}, and these "
                f"were trained for {table.n_epochs}"
            )
        if not table.has_curves:
            return (
                "it judges trials on the way, and values of some of their epochs are not recorded"
            )
        return ""

    def plays(
        self,
        table: RecordedTable,
        scoring: int,
        orders: IntArray,
        rng: np.random.Generator,  # noqa: ARG002 - the orders are all that is random
    ) -> Plays:
        """One play of all orders."""
        ladder = table.by_epochs(scoring, rungs(table.n_epochs, self.eta))
        yield ladder, self.climbed(ladder, orders)


def rungs(n_epochs: int, eta: int) -> tuple[int, ...]:
    """Epochs E / eta, E / eta^2 and so on, rounded up, as long as that is an epoch; rising.

    >>> rungs(30, 3)
    (2, 4, 10)
    """
    found, share = [], eta
    while share <= n_epochs:
        found.append(-(-n_epochs // share))
        share *= eta
    return tuple(reversed(found))


def best_share(keys: FloatArray, alive: npt.NDArray[np.bool_], eta: int) -> npt.NDArray[np.bool_]:
    """Who of a round goes on: the best one in eta, rounded up, and who equals the last of these.

    The rule of a stage's `stop = { rule = "halving" }`, for R rounds at once.

    Args:
        keys: ``[R, n]``, lower is better; +inf for diverged ones, which are not counted.
        alive: ``[R, n]``, who is at the rung.
        eta: Of so many, one goes on.
    """
    compared = np.where(alive, keys, np.inf)
    finite = np.isfinite(compared)
    n_kept = -(-finite.sum(axis=1) // eta)
    at = np.maximum(n_kept - 1, 0)[:, None]
    worst_kept = np.take_along_axis(np.sort(compared, axis=1), at, axis=1)
    return finite & (compared <= worst_kept)


def halved(ladder: Ladder, group: IntArray, first: int, eta: int) -> Play:
    """Rounds ``[R, n]`` of trials, halved from a level on; at each rung the best ones go on first.

    Args:
        ladder: Its levels are the rungs, and the end.
        group: Different trials in each row; -1 where there is none.
        first: The level at which the rounds are judged first.
        eta: Of so many, one goes on.
    """
    alive, begun, parts = group >= 0, -1, []
    for level in range(first, ladder.n_levels):
        trials = np.where(alive, group, -1)
        parts.append((trials, np.full_like(trials, begun), np.full_like(trials, level)))
        keys = ladder.keys[group, level]
        alive = best_share(keys, alive, eta)
        widest = max(int(alive.sum(axis=1).max()), 1)
        best = np.argsort(np.where(alive, keys, np.inf), axis=1, kind="stable")[:, :widest]
        group = np.take_along_axis(group, best, axis=1)
        alive = np.take_along_axis(alive, best, axis=1)
        begun = level
    trials, started, reached = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    return Play(trials=trials, begun=started, reached=reached)
