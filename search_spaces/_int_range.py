"""Whole numbers between two ends, evenly spread."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._shown import shown
from search_spaces._unit import bucket, bucket_middle, checked_unit
from search_spaces._values import MAX_POINTS, Value, as_count, as_number
from search_spaces.errors import BadAxis, TooManyPoints, UnknownValue, WrongType


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
        check_ends(self.low, self.high)
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
        refuse_too_many(self.size, self.low, self.high)
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
        index, off = divmod(whole_within(value, self.low, self.high) - self.low, self.step)
        if off:
            raise UnknownValue(
                f"{shown(value)} is no step of {self.step} from {self.low}. Take one that is."
            )
        return (bucket_middle(index, index + 1, self.size),)

    def to_plain(self) -> Plain:
        """``{int_range = [low, high]}``, with `step` if it is not 1."""
        plain: dict[str, object] = {"int_range": [self.low, self.high]}
        return plain if self.step == 1 else plain | {"step": self.step}


def check_ends(low: object, high: object) -> None:
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


def whole_within(value: Value, low: int, high: int) -> int:
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


def refuse_too_many(n: int, low: int, high: int) -> None:
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
