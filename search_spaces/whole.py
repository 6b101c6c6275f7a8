"""Ranges of whole numbers: evenly spread, or over their logarithm."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._shown import shown
from search_spaces._unit import bucket, bucket_middle, checked_unit
from search_spaces._values import MAX_POINTS, Value, as_count, as_number
from search_spaces.errors import BadAxis, TooManyPoints, UnknownValue, WrongType

__all__ = ["IntRange", "LogIntRange"]


@dataclass(frozen=True, slots=True)
class IntRange:
    """Whole numbers from `low` to `high`, both included, all equally likely.

    Attributes:
        low: Lower end.
        high: Upper end, `low` or above; with a `step`, no value lies above it.
        step: From one value to the next.

    Raises:
        BadAxis: The ends make no range.
        BadValue: The step is below 1, or an end is too large for a float.
        WrongType: One of them is not a whole number.
    """

    low: int
    high: int
    step: int = 1

    def __post_init__(self) -> None:
        _check_ends(self.low, self.high)
        as_count(self.step, what="`step`")

    @property
    def size(self) -> int:
        """Number of values."""
        return (self.high - self.low) // self.step + 1

    @property
    def dimensions(self) -> int:
        """One coordinate: the place in the range."""
        return 1

    def points(self) -> Iterator[int]:
        """All values, rising.

        Raises:
            TooManyPoints: There are more than anybody could train.
        """
        _refuse_too_many(self.size, self.low, self.high)
        return iter(range(self.low, self.high + 1, self.step))

    def from_unit(self, u: Sequence[float]) -> int:
        """The value whose bucket holds the coordinate; all buckets are equally wide."""
        (place,) = checked_unit(u, dimensions=1)
        return self.low + self.step * bucket(place, self.size)

    def to_unit(self, value: Value) -> tuple[float]:
        """The middle of the value's bucket.

        Raises:
            UnknownValue: The value is not in the range.
        """
        index, off = divmod(_whole_within(value, self.low, self.high) - self.low, self.step)
        if off:
            raise UnknownValue(
                f"{shown(value)} is no step of {self.step} from {self.low}. Take one that is."
            )
        return (bucket_middle(index, index + 1, self.size),)

    def to_plain(self) -> Plain:
        """``{int_range = [low, high]}``, with `step` if it is not 1."""
        plain: dict[str, object] = {"int_range": [self.low, self.high]}
        return plain if self.step == 1 else plain | {"step": self.step}


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
        _check_ends(self.low, self.high)
        if self.low < 1:
            raise BadAxis(
                f"`low` must be 1 or above on a log axis of whole numbers. Got low={self.low}. "
                "Raise `low`, or take `int_range`."
            )
        if self.n_points is not None:
            as_count(self.n_points, what="`points`", at_least=2)
            _refuse_too_many(self.n_points, self.low, self.high)

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
        _refuse_too_many(self.size, self.low, self.high)
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
        number = _whole_within(value, self.low, self.high)
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


def _check_ends(low: object, high: object) -> None:
    """Refuse ends that make no range of whole numbers.

    Raises:
        BadAxis: `high` is below `low`.
        BadValue: An end is too large for a float.
        WrongType: An end is not a whole number.
    """
    for name, end in (("low", low), ("high", high)):
        if isinstance(end, bool) or not isinstance(end, int):
            raise WrongType(
                f"`{name}` must be a whole number. Got {shown(end)}. "
                "Write it like 5, or take `range` or `log_range` for numbers between."
            )
        as_number(end, what=f"`{name}`")
    if high < low:  # type: ignore[operator]
        raise BadAxis(f"`high` must not be below `low`. Got [{low}, {high}]. Swap them?")


def _whole_within(value: Value, low: int, high: int) -> int:
    """The value as a whole number of the range; a database may have written it as a float.

    Raises:
        UnknownValue: It is no whole number, or outside.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        number = int(value)
        if number == value:
            return number
    raise UnknownValue(
        f"The range is the whole numbers from {low} to {high}. Got {shown(value)}. Widen it."
    )


def _refuse_too_many(n: int, low: int, high: int) -> None:
    """Refuse to list more values than anybody could train.

    Raises:
        TooManyPoints: There are so many.
    """
    if n > MAX_POINTS:
        raise TooManyPoints(
            f"The whole numbers from {low} to {high} are {n:,}, more than {MAX_POINTS:,} to list. "
            "Use a random or TPE strategy, or fewer of them (`step`, or `points` of a "
            "`log_int_range`)."
        )
