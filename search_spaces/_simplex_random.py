"""Random task weights: what to try where a grid of weights would have too many points."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from search_spaces._axis import Plain
from search_spaces._draws import uniforms
from search_spaces._shown import shown
from search_spaces._unit import checked_unit
from search_spaces._values import MAX_POINTS, Value, as_count, as_number, is_row
from search_spaces.errors import BadAxis, UnknownValue

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, init=False)
class SimplexRandom:
    """Weights of T tasks, drawn uniformly from the simplex (Dirichlet(1)) above a floor.

    The points are the same in every study, and asking for more keeps the first ones. `from_unit`
    reaches every point of the simplex, not those of the list only.

    Args:
        n_tasks: T.
        points: How many points the list has.
        floor: The least weight of every task: ``floor + (1 - T floor) w``.

    Attributes:
        n_points: The `points` asked for; the method of that name walks over them.

    Raises:
        BadAxis: The floor is negative, or T floors leave nothing to share.
        BadValue: A count is below 1 or above 100,000, or the floor not finite.
        WrongType: A count is not a whole number, or the floor not a number.
    """

    n_tasks: int
    n_points: int
    floor: float

    def __init__(self, n_tasks: int, points: int, floor: float = 0.0) -> None:
        object.__setattr__(self, "n_tasks", as_count(n_tasks, what="`n_tasks`"))
        n_points = as_count(points, what="`dirichlet`", at_most=MAX_POINTS)
        object.__setattr__(self, "n_points", n_points)
        object.__setattr__(self, "floor", as_number(floor, what="`floor`"))
        if self.floor < 0.0 or self._free_share <= 0.0:
            raise BadAxis(
                f"`floor` must be at least 0 and below 1/T = {1 / self.n_tasks:.6g} for "
                f"{self.n_tasks} tasks. Got {self.floor}. Lower it."
            )

    @property
    def size(self) -> int:
        """Number of points in the list."""
        return self.n_points

    @property
    def dimensions(self) -> int:
        """T - 1: the last weight is what the others leave."""
        return self.n_tasks - 1

    def points(self) -> Iterator[tuple[float, ...]]:
        """The points ``[T]``, each drawn from (T, floor, its index) alone."""
        return (self._point(index) for index in range(self.n_points))

    def from_unit(self, u: Sequence[float]) -> tuple[float, ...]:
        """Weights ``[T]`` by stick-breaking: uniform ``[T - 1]`` coordinates give Dirichlet(1).

        The first of k weights is Beta(1, k - 1), whose quantile at u is 1 - (1 - u)^(1/(k - 1)).
        """
        remainders = [1.0]
        for index, coordinate in enumerate(checked_unit(u, dimensions=self.dimensions)):
            exponent = 1 / (self.n_tasks - 1 - index)
            remainders.append(remainders[-1] * (1.0 - coordinate) ** exponent)
        return self._above_floor([a - b for a, b in pairwise((*remainders, 0.0))])

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """Coordinates ``[T - 1]`` that lead to these weights.

        Raises:
            UnknownValue: These are not T weights above the floor that sum to 1.
        """
        shares = self._free_shares(value)
        remainders = [math.fsum(shares[index:]) for index in range(self.n_tasks)]
        return tuple(
            # Once nothing is left to share, any coordinate leads to weights of zero.
            min(max(1.0 - (after / before) ** (self.n_tasks - 1 - index), 0.0), 1.0)
            if before > 0.0
            else 0.5
            for index, (before, after) in enumerate(pairwise(remainders))
        )

    def to_plain(self) -> Plain:
        """``{dirichlet = 50}``, with `floor` where there is one."""
        plain: dict[str, object] = {"dirichlet": self.n_points}
        return plain | {"floor": self.floor} if self.floor else plain

    @property
    def _free_share(self) -> float:
        return 1.0 - self.n_tasks * self.floor

    def _point(self, index: int) -> tuple[float, ...]:
        # The gaps between sorted uniforms are Dirichlet(1), and exact: no logarithm is rounded.
        draws = uniforms("simplex", self.n_tasks, self.floor, index, count=self.n_tasks - 1)
        return self._above_floor([b - a for a, b in pairwise((0.0, *sorted(draws), 1.0))])

    def _above_floor(self, shares: Sequence[float]) -> tuple[float, ...]:
        return tuple(self.floor + self._free_share * share for share in shares)

    def _free_shares(self, value: Value) -> list[float]:
        if is_row(value, length=self.n_tasks) and abs(math.fsum(value) - 1.0) < _TOLERANCE:
            shares = [(weight - self.floor) / self._free_share for weight in value]
            if min(shares) > -_TOLERANCE:
                return [max(share, 0.0) for share in shares]
        raise UnknownValue(
            f"{shown(value)} is not made of {self.n_tasks} weights of at least {self.floor} that "
            "sum to 1. Divide the weights by their sum, or lower the floor."
        )

    def __repr__(self) -> str:
        return f"SimplexRandom({self.n_tasks!r}, points={self.n_points!r}, floor={self.floor!r})"
