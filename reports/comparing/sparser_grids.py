"""The same claim against sparser grids: a method beside random halves and quarters of its rival's.

Whoever compares with a coarse grid sees a weaker rival, and takes it for a stronger method.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from reports._ranking import number, objective_of
from reports._spread import components_of
from reports._titles import title_of
from reports.comparing.differences import Difference, difference, margin_of
from reports.comparing.scores import PAIRED_FROM
from reports.comparing.wording import gaps_of, span
from reports.frames import StudyFrames
from reports.inference import Estimate, estimated, mixing_parts, paired, variance_parts
from reports.spending.curves import Trajectory, trajectory
from reports.spending.sub_grids import GridResolution, SubGrid, grid_resolution
from storage.objectives import Objective

_PARTS = {1: "all of it", 2: "a random half", 4: "a random quarter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SparserGrids:
    """A method against a grid over task weights, and against parts of it.

    Attributes:
        title: The method.
        objective: What differences are of.
        grid: The rival's grid; all of it is its first part, without the search's later stages.
        differences: Method minus rival at each part of the grid, all cross-fitted.
        compared: The difference that the comparison gives, if it is another one than that with all
            of the grid: it counts stages beside the grid and fresh seeds, too.
    """

    title: str
    objective: Objective
    grid: GridResolution
    differences: tuple[Difference, ...]
    compared: Difference | None = None

    @property
    def sentence(self) -> str:
        """The grid's resolution, and what is found against each part of it."""
        found = [
            f"with {_PARTS[part.part]} ({part.n_points}) {self._said(gap)}"
            for part, gap in zip(self.grid.parts, self.differences, strict=True)
        ]
        return (
            f"The grid of {self.grid.title} has {self.grid.said}. {self.title} minus "
            f"{self.grid.title}, {'; '.join(found)}.{self._aside}"
        )

    @property
    def _aside(self) -> str:
        """Why the first number is not that of the comparison."""
        if self.compared is None:
            return ""
        return (
            f" The comparison has {self._said(self.compared)}: it counts what parts of a grid do "
            "not have, stages beside it and fresh seeds."
        )

    def _said(self, gap: Difference) -> str:
        gaps = gaps_of(self.objective)
        if gap.interval is None:
            return f"{number(gaps, gap.value)} (one seed: no interval)"
        ends = span(self.objective, gap.interval)
        return f"{number(gaps, gap.value)} (95 % interval {ends}; {gap.verdict})"

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "sentence": self.sentence,
            "grid": self.grid.to_plain(),
            "differences": [gap.to_plain() for gap in self.differences],
        }


def sparser_grids(frames: StudyFrames, subject: str, reference: str) -> SparserGrids | None:
    """Compare a search with parts of another one's grid; None if there is no such grid or value."""
    mine, grid = trajectory(frames, subject), grid_resolution(frames, reference)
    if mine is None or grid is None or not grid.parts:
        return None
    objective, margin = objective_of(frames), margin_of(frames)
    found = []
    for part in grid.parts:
        estimate = _estimate(frames, (subject, mine), (reference, part))
        found.append(
            Difference(
                a=subject,
                b=reference,
                estimate=estimate,
                interval=estimate.interval(),
                basis="paired" if estimate.n_seeds >= PAIRED_FROM else "pooled",
                sign=objective.sign,
                margin=margin,
            )
        )
    compared = difference(frames, subject, reference)
    return SparserGrids(
        title=title_of(frames, subject),
        objective=objective,
        grid=grid,
        differences=tuple(found),
        compared=None if compared is None or _alike(compared, found[0]) else compared,
    )


def _alike(one: Difference, other: Difference) -> bool:
    """Whether two differences are written alike, but for rounding."""

    def numbers(gap: Difference) -> list[float]:
        known = gap.interval
        return [gap.value, *([] if known is None else [known.low, known.high])]

    mine, theirs = numbers(one), numbers(other)
    return len(mine) == len(theirs) and np.allclose(mine, theirs, rtol=1e-6, atol=1e-9)


def _estimate(
    frames: StudyFrames, subject: tuple[str, Trajectory], rival: tuple[str, SubGrid]
) -> Estimate:
    """The whole search of the one against a part of the other's grid (M12)."""
    mine, theirs = subject[1], trajectory(frames, rival[0])
    scores, others = mine.by_seed[:, -1], rival[1].by_seed
    if theirs is None:
        return paired(scores, others)
    # Parts of the grid are taken to make seeds waver as all of it does.
    ends = (
        (subject[0], float(mine.concentration[-1]), mine.mixed),
        (rival[0], rival[1].concentration, theirs.mixed),
    )
    found = [(components_of(frames, search), share, mixed) for search, share, mixed in ends]
    sides = [(layout, share, mixed) for layout, share, mixed in found if layout is not None]
    if len(scores) >= PAIRED_FROM or len(sides) < len(ends):
        more = mixing_parts(*((layout, 1 + share * (mixed - 1)) for layout, share, mixed in sides))
        return paired(scores, others, more=more)
    value = float(scores.mean() - others.mean())
    parts = variance_parts(*((layout, share * mixed) for layout, share, mixed in sides))
    return estimated(value, parts, n_seeds=len(scores))
