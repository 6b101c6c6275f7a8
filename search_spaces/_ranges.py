"""Ranges of numbers: linear or logarithmic, continuous or a grid."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._shown import shown
from search_spaces._unit import bucket, bucket_middle, checked_unit
from search_spaces._values import MAX_POINTS, Value, as_count, as_number, rounded
from search_spaces.errors import BadAxis, ContinuousAxis, SpaceError, UnknownValue


@dataclass(frozen=True, slots=True, init=False)
class _Interval:
    """Two ends, and the way between them, walked in steps or anywhere; how is a subclass's.

    Attributes:
        n_points: The `points` asked for; the method of that name walks over them.
    """

    low: float
    high: float
    n_points: int | None

    def __init__(self, low: float, high: float, points: int | None = None) -> None:
        if points is not None:
            points = as_count(points, what="`points`", at_least=2, at_most=MAX_POINTS)
        object.__setattr__(self, "low", as_number(low, what="`low`"))
        object.__setattr__(self, "high", as_number(high, what="`high`"))
        object.__setattr__(self, "n_points", points)
        self._check_ends()

    @property
    def size(self) -> int | None:
        """Number of points of the grid; None if continuous."""
        return self.n_points

    @property
    def dimensions(self) -> int:
        """One coordinate: the share of the way from `low` to `high`."""
        return 1

    def points(self) -> Iterator[float]:
        """The grid, from `low` to `high`.

        Raises:
            ContinuousAxis: The range is continuous.
        """
        if self.n_points is None:
            raise ContinuousAxis(
                f"The range from {self.low} to {self.high} is continuous, it has no grid. "
                "Give `points = n` or use a random or TPE strategy."
            )
        return iter(self._grid(self.n_points))

    def from_unit(self, u: Sequence[float]) -> float:
        """The value at this share of the way; on a grid, the point whose bucket holds it."""
        (share,) = checked_unit(u, dimensions=1)
        if self.n_points is None:
            return self._at(share)
        return self._grid(self.n_points)[bucket(share, self.n_points)]

    def to_unit(self, value: Value) -> tuple[float]:
        """The share of the way to the value; on a grid, the middle of its bucket.

        Raises:
            UnknownValue: The value is outside the range, or not on its grid.
        """
        number = self._known(value)
        if self.n_points is None:
            return (min(max(self._share(number), 0.0), 1.0),)
        index = self._grid(self.n_points).index(number)
        return (bucket_middle(index, index + 1, self.n_points),)

    def _between(self, share: float) -> float:
        """The value at a share of the way, as exact as floats are."""
        raise NotImplementedError

    def _share(self, number: float) -> float:
        """The share of the way to a number within the ends."""
        raise NotImplementedError

    def _at(self, share: float) -> float:
        if share in (0.0, 1.0):
            return self.high if share else self.low
        return min(max(rounded(self._between(share)), self.low), self.high)

    def _grid(self, n: int) -> tuple[float, ...]:
        return tuple(self._at(i / (n - 1)) for i in range(n))

    def _known(self, value: Value) -> float:
        try:
            number = as_number(value, what="The value")
        except SpaceError as error:
            raise UnknownValue(str(error)) from error
        if not self.low <= number <= self.high:
            raise UnknownValue(
                f"The range is {self.low} to {self.high}. Got {shown(value)}. Widen it."
            )
        if self.n_points is not None and number not in self._grid(self.n_points):
            raise UnknownValue(
                f"{shown(value)} is not among {shown(list(self.points()))}. Take one of these."
            )
        return number

    def _check_ends(self) -> None:
        if self.high <= self.low:
            raise BadAxis(f"`high` must be above `low`. Got [{self.low}, {self.high}]. Swap them?")
        n = self.n_points
        if n is not None and len(set(self._grid(n))) < n:
            raise BadAxis(
                f"{n} points between {self.low} and {self.high} are alike at six digits. "
                "Ask for fewer points or widen the range."
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.low!r}, {self.high!r}, points={self.n_points!r})"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Range(_Interval):
    """Values between two ends, evenly spread.

    Every computed value has six significant digits; the ends are as given.

    Args:
        low: Lower end.
        high: Upper end, above `low`.
        points: Size of the grid, both ends included; None leaves the range continuous.

    Raises:
        BadAxis: The ends make no range, or lie too close together for so many points.
        BadValue: An end is not finite, or there are fewer than two points, or more than 100,000.
        WrongType: An end is not a number, or `points` not a whole one.
    """

    @property
    def middle(self) -> float:
        """The value halfway."""
        return self._at(0.5)

    def to_plain(self) -> Plain:
        """``{range = [low, high]}``, with `points` on a grid."""
        plain: dict[str, object] = {"range": [self.low, self.high]}
        return plain if self.n_points is None else plain | {"points": self.n_points}

    def _between(self, share: float) -> float:
        return (1.0 - share) * self.low + share * self.high

    def _share(self, number: float) -> float:
        # halves first: the ends of a range may lie further apart than a float can say
        return (number / 2 - self.low / 2) / (self.high / 2 - self.low / 2)


@dataclass(frozen=True, slots=True, init=False, repr=False)
class LogRange(_Interval):
    """Values between two ends, evenly spread over their logarithm.

    Every computed value has six significant digits; the ends are as given. A grid is geometric.

    Args:
        low: Lower end, above 0.
        high: Upper end, above `low`.
        points: Size of the grid, both ends included; None leaves the range continuous.

    Raises:
        BadAxis: The ends make no range, or lie too close together for so many points.
        BadValue: An end is not finite, or there are fewer than two points, or more than 100,000.
        WrongType: An end is not a number, or `points` not a whole one.
    """

    def to_plain(self) -> Plain:
        """``{log_range = [low, high]}``, with `points` on a grid."""
        plain: dict[str, object] = {"log_range": [self.low, self.high]}
        return plain if self.n_points is None else plain | {"points": self.n_points}

    def _between(self, share: float) -> float:
        return math.exp((1.0 - share) * math.log(self.low) + share * math.log(self.high))

    def _share(self, number: float) -> float:
        span = math.log(self.high) - math.log(self.low)
        return (math.log(number) - math.log(self.low)) / span

    def _check_ends(self) -> None:
        if self.low <= 0.0:
            raise BadAxis(
                f"`low` must be above 0 on a log axis. Got low={self.low}. "
                "Raise `low`, or write the values as a list."
            )
        _Interval._check_ends(self)  # `super()` is lost where slots make the class anew
