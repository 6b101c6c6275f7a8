"""Task weights in multiples of a step: the grid that Scalarization walks over.

The number of ways to share ``m`` units among ``T`` tasks, at least one each, is the binomial
C(m - 1, T - 1): 36 for three tasks in tenths, 9 for two.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, pairwise

from search_spaces._axis import Plain
from search_spaces._shown import shown
from search_spaces._unit import bucket, bucket_middle, checked_unit
from search_spaces._values import MAX_POINTS, Value, as_count, as_flag, as_number, is_row
from search_spaces.errors import BadAxis, EmptySpace, TooManyPoints, UnknownValue

_WAY_OUT = "Use { dirichlet = 50 }: random simplex points, as many as you ask for"
_TOLERANCE = 1e-9
_FINEST = 10_000  # steps in 1: a point is found by walking over them


@dataclass(frozen=True, slots=True)
class SimplexGrid:
    """Weights of T tasks in multiples of a step, summing to one.

    All arithmetic is on whole steps, so the weights are the decimals one would write by hand.

    Attributes:
        n_tasks: T.
        step: Divides 1 exactly, as a decimal: 0.1, 0.05, 0.25.
        boundary: Whether weights of 0 are tried too (edges and corners of the simplex).
        units: How many steps make 1.

    Raises:
        BadAxis: The step does not divide 1.
        BadValue: `n_tasks` is below 1, or the step not finite.
        WrongType: A field has the wrong type.
    """

    n_tasks: int
    step: float
    boundary: bool = False
    units: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        as_count(self.n_tasks, what="`n_tasks`")
        object.__setattr__(self, "step", as_number(self.step, what="`simplex_step`"))
        as_flag(self.boundary, what="`boundary`")
        object.__setattr__(self, "units", _steps_to_one(self.step))

    @property
    def size(self) -> int:
        """Number of points, by the binomial formula; 0 if the steps do not go round."""
        return _ways(self._free_units, self.n_tasks)

    @property
    def dimensions(self) -> int:
        """T - 1: the last weight is what the others leave."""
        return self.n_tasks - 1

    def points(self) -> Iterator[tuple[float, ...]]:
        """All weights ``[T]``, in lexicographic order.

        Raises:
            EmptySpace: There are more tasks than steps.
            TooManyPoints: There are more than 100,000 points.
        """
        self._refuse_empty()
        if self.size > MAX_POINTS:
            raise TooManyPoints(
                f"{self.n_tasks} tasks in steps of {self.step} make {self.size:,} points, "
                f"more than {MAX_POINTS:,}. {_WAY_OUT}; or a coarser step."
            )
        return self._points()

    def from_unit(self, u: Sequence[float]) -> tuple[float, ...]:
        """The grid point at ``[T - 1]`` coordinates; uniform ones make all points equally likely.

        This is stick-breaking in whole steps: the first coordinate picks the first weight by its
        share of the grid, the second one likewise from what is left, and so on. It needs no list of
        points, so it serves grids of any size.

        Raises:
            EmptySpace: There are more tasks than steps.
        """
        coordinates = checked_unit(u, dimensions=self.dimensions)
        self._refuse_empty()
        left, parts = self._free_units, []
        for index, coordinate in enumerate(coordinates):
            others = self.n_tasks - index - 1
            rank = bucket(coordinate, _ways(left, others + 1))
            part = 0
            while _ways_up_to(part, left, others) <= rank:
                part += 1
            parts.append(part)
            left -= part
        return self._weights((*parts, left))

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """Coordinates ``[T - 1]`` in the middle of those that lead to this grid point.

        `from_unit` leads back exactly on grids of up to 2**52 points; on larger ones the outermost
        corners are nearer to each other than floats are.

        Raises:
            UnknownValue: The weights are not on the grid.
        """
        parts = self._parts(value)
        left, coordinates = self._free_units, []
        for index, part in enumerate(parts[:-1]):
            others = self.n_tasks - index - 1
            low, high = (_ways_up_to(p, left, others) for p in (part - 1, part))
            coordinates.append(bucket_middle(low, high, _ways(left, others + 1)))
            left -= part
        return tuple(coordinates)

    def to_plain(self) -> Plain:
        """``{simplex_step = 0.1}``, with ``boundary = true`` where weights may be 0."""
        plain: dict[str, object] = {"simplex_step": self.step}
        return plain | {"boundary": True} if self.boundary else plain

    @property
    def _least(self) -> int:
        return 0 if self.boundary else 1

    @property
    def _free_units(self) -> int:
        return self.units - self._least * self.n_tasks

    def _points(self) -> Iterator[tuple[float, ...]]:
        # Cuts between parts of at least one unit, in lexicographic order, give the parts in theirs.
        total = self._free_units + self.n_tasks
        for cuts in combinations(range(1, total), self.n_tasks - 1):
            yield self._weights([b - a - 1 for a, b in pairwise((0, *cuts, total))])

    def _weights(self, parts: Sequence[int]) -> tuple[float, ...]:
        # Dividing whole numbers rounds once: 3 / 10 is the float that "0.3" reads as.
        return tuple((part + self._least) / self.units for part in parts)

    def _parts(self, value: Value) -> tuple[int, ...]:
        if is_row(value, length=self.n_tasks):
            units = [round(weight * self.units) for weight in value]
            exact = all(
                abs(n / self.units - weight) < _TOLERANCE
                for n, weight in zip(units, value, strict=True)
            )
            if exact and sum(units) == self.units and min(units) >= self._least:
                return tuple(n - self._least for n in units)
        raise UnknownValue(
            f"{shown(value)} is not on the grid of {self.n_tasks} weights in steps of {self.step}. "
            "Take one of its points."
        )

    def _refuse_empty(self) -> None:
        if self.size == 0:
            raise EmptySpace(
                f"{self.n_tasks} tasks in steps of {self.step} make 0 points: {self.n_tasks} "
                f"weights of at least {self.step} sum to more than 1. {_WAY_OUT}; "
                "or a smaller step; or `boundary = true`."
            )


def _steps_to_one(step: float) -> int:
    # As the decimal one reads: the float 0.1 itself is a little more than a tenth.
    steps = 1 / Fraction(repr(step)) if step > 0.0 else Fraction(0)
    if not 1 <= steps <= _FINEST or steps.denominator != 1:
        raise BadAxis(
            "The step must divide 1 exactly, like 0.25, 0.1 or 0.05, and be at least "
            f"{1 / _FINEST}. Got {step}. "
            "Take the nearest step that does."
        )
    return int(steps)


def _ways(units: int, n_parts: int) -> int:
    """In how many ways ``units`` can be shared among ``n_parts`` (zeros allowed)."""
    return math.comb(units + n_parts - 1, n_parts - 1) if units >= 0 else 0


def _ways_up_to(part: int, units: int, others: int) -> int:
    """In how many of the ways of sharing with ``others`` the first one gets at most ``part``."""
    return _ways(units, others + 1) - _ways(units - part - 1, others + 1)
