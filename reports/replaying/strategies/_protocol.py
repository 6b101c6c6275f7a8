"""What a strategy promises.

Shapes: N trials, R orders, D coordinates.
"""

from collections.abc import Iterator
from typing import Protocol, TypeAlias

import numpy as np

from reports.measures import FloatArray, IntArray
from reports.replaying.ladder import Ladder, Play
from reports.replaying.table import RecordedTable

Plays: TypeAlias = Iterator[tuple[Ladder, Play]]
"""Each play with the ladder that it climbs."""


class Strategy(Protocol):
    """In which order trials are trained how far, by what is known when a step begins."""

    @property
    def title(self) -> str:
        """What it does, in a few words."""

    @property
    def needs_curves(self) -> bool:
        """Whether it looks at values before the last epoch."""

    @property
    def most_orders(self) -> int | None:
        """How many orders are worth playing, at most; None for any number."""

    def refusal(self, table: RecordedTable) -> str:
        """Why this table cannot be replayed, in a sentence; empty if it can."""

    def plays(
        self, table: RecordedTable, scoring: int, orders: IntArray, rng: np.random.Generator
    ) -> Plays:
        """Play a table.

        Args:
            table: One that is not refused.
            scoring: The seed that scores; the others choose.
            orders: ``[R, N]``, permutations of the trials.
            rng: What else is random is drawn from it.
        """


class Sampler(Protocol):
    """Proposes the trials of a table one by one, each by what those before it came to."""

    def __call__(
        self,
        coordinates: FloatArray,
        n_categories: IntArray,
        keys: FloatArray,
        order: IntArray,
        *,
        n: int,
        seed: int,
    ) -> IntArray:
        """The first `n` trials that it tries, in order.

        Args:
            coordinates: ``[N, D]``; numbers in [0, 1], categories as 0, 1, 2 and so on.
            n_categories: ``[D]``; 0 for numbers.
            keys: ``[N]``, what each trial comes to, lower is better; +inf for diverged ones.
            order: ``[N]``, the order in which trials are tried where nothing is known yet.
            n: From 1 to N.
            seed: What else is random is drawn from it.
        """
