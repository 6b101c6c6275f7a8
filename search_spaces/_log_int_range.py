"""Whole numbers between two ends, evenly spread over their logarithm."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._int_range import check_ends, refuse_too_many, whole_within
from search_spaces._shown import shown
from search_spaces._unit import bucket, bucket_middle, checked_unit
from search_spaces._values import Value, as_count
from search_spaces.errors import BadAxis, UnknownValue


@dataclass(frozen=True, slots=True)
class LogIntRange:
    """Whole numbers from `low` to `high`, both included; a doubling is as likely anywhere.

    Attributes:
        low: Lower end, 1 or above.
        high: Upper end, `low` or above.
        n_points: Size of the geometric grid, both ends included and each value once, so that it
            may hold fewer; None for all whole numbers.

    Raises:
        BadAxis: The ends make no range on a log axis.
        BadValue: An end is too large for a float, or there are fewer than two points.
        WrongType: One of them is not a whole number.
    """

    low: int
    high: int
    n_points: int | None = None

    def __post_init__(self) -> None:
        check_ends(self.low, self.high)
        if self.low < 1:
            raise BadAxis(
                f"`low` must be 1 or above on a log axis of whole numbers. Got low={self.low}. "
                "Raise `low`, or take `int_range`."
            )
        if self.n_points is not None:
            as_count(self.n_points, what="`points`", at_least=2)
            refuse_too_many(self.n_points, self.low, self.high)

    @property
    def size(self) -> int:
        """Number of values."""
        return self.high - self.low + 1 if self.n_points is None else len(self._grid())

    @property
    def dimensions(self) -> int:
        """One coordinate: the share of the way from `low` to `high`."""
        return 1

    def points(self) -> Iterator[int]:
        """All values, or those of the grid, rising.

        Raises:
            TooManyPoints: There are more than anybody could train.
        """
        if self.n_points is not None:
            return iter(self._grid())
        refuse_too_many(self.size, self.low, self.high)
        return iter(range(self.low, self.high + 1))

    def from_unit(self, u: Sequence[float]) -> int:
        """The value at this share of the way; on a grid, the one whose bucket holds it."""
        (share,) = checked_unit(u, dimensions=1)
        if self.n_points is None:
            return self._at(share, margin=0.5)
        grid = self._grid()
        return grid[bucket(share, len(grid))]

    def to_unit(self, value: Value) -> tuple[float]:
        """The share of the way to the value; on a grid, the middle of its bucket.

        Raises:
            UnknownValue: The value is outside the range, or not on its grid.
        """
        number = whole_within(value, self.low, self.high)
        if self.n_points is None:
            low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return ((math.log(number) - low) / (high - low),)
        grid = self._grid()
        if number not in grid:
            raise UnknownValue(
                f"{shown(value)} is not among {shown(list(grid))}. Take one of these."
            )
        index = grid.index(number)
        return (bucket_middle(index, index + 1, len(grid)),)

    def to_plain(self) -> Plain:
        """``{log_int_range = [low, high]}``, with `points` on a grid."""
        plain: dict[str, object] = {"log_int_range": [self.low, self.high]}
        return plain if self.n_points is None else plain | {"points": self.n_points}

    def _at(self, share: float, *, margin: float) -> int:
        """The whole number at a share of the way between the ends, widened by a margin.

        With half a number as margin the ends are as likely as what lies between them.
        """
        low, high = math.log(self.low - margin), math.log(self.high + margin)
        number = round(math.exp((1.0 - share) * low + share * high))
        return min(max(number, self.low), self.high)

    def _grid(self) -> tuple[int, ...]:
        n = self.n_points or 2
        walked = {self._at(i / (n - 1), margin=0.0) for i in range(n)}
        return tuple(sorted(walked | {self.low, self.high}))
