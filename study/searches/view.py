"""What strategies look at and what they answer: plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from search_spaces import Point
from study.planning.search_plan import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A point that stands in a stage.

    Attributes:
        final: All its runs have ended.
        settled: Final, and its value is known or never will be (a run failed).
        value: What it is ranked by, lower is better: inf if it diverged or was pruned, None if
            unknown or incomplete.
        others: What it is ranked by beside `value`, of several objectives, lower is better; as
            many infinities where `value` is one, empty where it is None.
        cost: Reproducible cost, for ties.
        trial: Number in the search, for ties.
        pruned: A stopping rule has ended it.
    """

    params: str
    point: Point
    round: int
    final: bool
    settled: bool
    value: float | None
    cost: int
    trial: int
    pruned: bool = False
    others: tuple[float, ...] = ()

    @property
    def rank(self) -> tuple[float, ...]:
        """Strict order of trials (M5), of those with a value: its first is on their front."""
        value = math.inf if self.value is None else self.value
        return (value, *self.others, self.cost, self.trial)

    @property
    def values(self) -> tuple[float, ...]:
        """All that it is ranked by, the first objective first; empty where there is no value."""
        return () if self.value is None else (self.value, *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """All a strategy may look at.

    Attributes:
        base: The point so far: the winner of the stages before, or the anchors.
        tried: What stands in this stage, in the order of proposal.
        tried_rates: Every learning rate of the search so far, of the base's optimiser.
        n_objectives: How many trials are ranked by.
        address: Names study seed, search and stage; addresses all randomness.
    """

    stage: Stage
    base: Point
    tried: Sequence[Tried]
    tried_rates: Sequence[float]
    address: str
    n_objectives: int = 1

    def at(self, point: Point) -> Point:
        """A point of this stage, with everything else as the base has it.

        What the stage tunes and the point lacks does not apply there: its conditions are not met.
        """
        space, tuned = self.stage.space, self.stage.tuned
        rest = {name: v for name, v in self.base.items() if name not in tuned}
        return rest | space.named(point)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """The points a stage wants, each with its round.

    Attributes:
        complete: Nothing more will be asked for, once these are final.
    """

    points: Sequence[tuple[int, Point]]
    complete: bool
