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

    @property
    def rank(self) -> tuple[float, int, int]:
        """Strict order of trials (M5), of those with a value."""
        return (math.inf if self.value is None else self.value, self.cost, self.trial)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """All a strategy may look at.

    Attributes:
        base: The point so far: the winner of the stages before, or the anchors.
        tried: What stands in this stage, in the order of proposal.
        tried_rates: Every learning rate of the search so far.
        address: Names study seed, search and stage; addresses all randomness.
    """

    stage: Stage
    base: Point
    tried: Sequence[Tried]
    tried_rates: Sequence[float]
    address: str

    def at(self, point: Point) -> Point:
        """A point of this stage, with everything else as the base has it.

        What the stage tunes and the point lacks does not apply there: its conditions are not met.
        """
        tuned = self.stage.space.axes
        return {name: v for name, v in self.base.items() if name not in tuned} | point


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """The points a stage wants, each with its round.

    Attributes:
        complete: Nothing more will be asked for, once these are final.
    """

    points: Sequence[tuple[int, Point]]
    complete: bool
