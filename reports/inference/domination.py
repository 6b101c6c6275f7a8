"""Which points of two sides none dominates, at equal numbers; lower is better in each coordinate.

Shapes: N points of a side, n of them that are drawn, T coordinates, G groups.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.inference.hulls import BoolArray
from reports.inference.student import FloatArray

IntArray = npt.NDArray[np.int64]

_BLOCK = 2**22


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """Points of one side.

    Attributes:
        points: ``[N, T]``; a point with an infinite coordinate is drawn, and counted nowhere.
        groups: ``[N]``, group of each, from 0 to G - 1; each group has points of both sides.
    """

    points: FloatArray
    groups: IntArray

    @property
    def sizes(self) -> IntArray:
        """``[G]``, points by group."""
        return np.bincount(self.groups)

    @property
    def done(self) -> BoolArray:
        """``[N]``, which points are counted."""
        return np.array(np.isfinite(self.points).all(axis=1), dtype=bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undominated:
    """Expected counts when as many points of both sides are drawn from each group.

    Attributes:
        n_drawn: Of each side, over all groups.
        on_front: Of each side those that no drawn point of either side dominates.
        undominated: Of each side those that no drawn point of the other side dominates.
    """

    n_drawn: int
    on_front: tuple[float, float]
    undominated: tuple[float, float]

    @property
    def shares(self) -> tuple[float, float]:
        """Of each side the part of the drawn points that none of the other side dominates."""
        first, second = self.undominated
        return first / self.n_drawn, second / self.n_drawn


def at_equal_numbers(first: Side, second: Side) -> Undominated:
    """Count what is left of two sides, the mean over all ways to draw equal numbers.

    From each group as many points are drawn of both sides as the smaller one has, without putting
    back. The mean is exact: with equal numbers it is the plain count.
    """
    drawn = np.minimum(first.sizes, second.sizes)
    counts = [_expected(mine, other, drawn) for mine, other in ((first, second), (second, first))]
    (front_a, left_a), (front_b, left_b) = counts
    return Undominated(
        n_drawn=int(drawn.sum()), on_front=(front_a, front_b), undominated=(left_a, left_b)
    )


def _expected(mine: Side, other: Side, drawn: IntArray) -> tuple[float, float]:
    """Of one side how many drawn points are on the joint front, and undominated by the other."""
    chance = drawn[mine.groups] / mine.sizes[mine.groups] * mine.done
    missed = chance * _all_missed(_dominating(mine.points, other), other.sizes, drawn)
    own = _dominating(mine.points, mine)
    alone = np.ones(len(mine.points))
    for group, n_drawn in enumerate(drawn.tolist()):
        size, here = int(mine.sizes[group]), mine.groups == group
        # where the point itself was drawn, one fewer is drawn of the others
        alone[here] *= _missed(size - 1, n_drawn - 1)[own[here, group]]
        alone[~here] *= _missed(size, n_drawn)[own[~here, group]]
    return float(np.sum(missed * alone)), float(np.sum(missed))


def _all_missed(counts: IntArray, sizes: IntArray, drawn: IntArray) -> FloatArray:
    """P(none of the dominating points is drawn) of each point, over all groups: ``[N]``."""
    tables = [_missed(size, n) for size, n in zip(sizes.tolist(), drawn.tolist(), strict=True)]
    found = np.ones(len(counts))
    for group, table in enumerate(tables):
        found *= table[counts[:, group]]
    return found


def _missed(size: int, drawn: int) -> FloatArray:
    """C(size - k, drawn) / C(size, drawn) for k = 0 ... size: ``[size + 1]``."""
    k = np.arange(size)
    return np.concatenate([[1.0], np.cumprod(np.maximum(size - drawn - k, 0) / (size - k))])


def _dominating(points: FloatArray, others: Side) -> IntArray:
    """How many of the others dominate each point, by their group: ``[N, G]``."""
    by_group = np.eye(len(others.sizes))[others.groups]
    found = np.empty((len(points), len(others.sizes)), dtype=np.int64)
    rows = max(1, _BLOCK // max(1, others.points.size))
    for first in range(0, len(points), rows):
        mine = points[first : first + rows]
        at_most = np.ones((len(mine), len(others.points)), dtype=bool)
        below = np.zeros_like(at_most)
        # by coordinate, and the sum in floating point: several times faster, and as exact
        for own, theirs in zip(mine.T, others.points.T, strict=True):
            at_most &= theirs <= own[:, None]
            below |= theirs < own[:, None]
        found[first : first + rows] = (at_most & below).astype(np.float64) @ by_group
    return found
