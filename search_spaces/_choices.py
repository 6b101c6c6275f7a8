"""An explicit list of values: a line, or a grid written out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._canonical import value_key
from search_spaces._shown import shown
from search_spaces._unit import bucket, bucket_middle, checked_unit
from search_spaces._values import Value, as_value, native
from search_spaces.errors import BadAxis, SpaceError, UnknownValue, WrongType


@dataclass(frozen=True, slots=True)
class Choices:
    """An explicit list of values, tried in the order given.

    Attributes:
        values: Whatever TOML or JSON can write, None included; lists become tuples, and whole
            numbers stay whole. No two alike.

    Raises:
        BadAxis: There are no values, or two are alike.
        BadValue: A number is not finite.
        WrongType: `values` is no list, or one of them is nothing a point can hold.
    """

    values: Sequence[Value]

    def __post_init__(self) -> None:
        values = native(self.values)
        if not isinstance(values, list | tuple):
            raise WrongType(
                f"The values must be a list. Got {shown(self.values)}. Write [a, b, ...]."
            )
        if not values:
            raise BadAxis("The list of values is empty. Write at least one value.")
        known = tuple(as_value(v, what=f"Value {i}") for i, v in enumerate(values, start=1))
        _refuse_twins(known)
        object.__setattr__(self, "values", known)

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def dimensions(self) -> int:
        """One coordinate: the place in the list."""
        return 1

    def points(self) -> Iterator[Value]:
        """The values, in the order given."""
        return iter(self.values)

    def from_unit(self, u: Sequence[float]) -> Value:
        """The value whose bucket holds the coordinate; all buckets are equally wide."""
        (place,) = checked_unit(u, dimensions=1)
        return self.values[bucket(place, self.size)]

    def to_unit(self, value: Value) -> tuple[float]:
        """The middle of the value's bucket.

        Raises:
            UnknownValue: The value is not in the list.
        """
        keys = [value_key(v) for v in self.values]
        try:
            index = keys.index(value_key(value))
        except (ValueError, SpaceError):
            raise UnknownValue(
                f"{shown(value)} is not among {shown(list(self.values))}. Take one of these."
            ) from None
        return (bucket_middle(index, index + 1, self.size),)

    def to_plain(self) -> Plain:
        """The list of values, tuples as lists."""
        return [_plain(value) for value in self.values]


def _plain(value: Value) -> object:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    return value


def _refuse_twins(values: tuple[Value, ...]) -> None:
    seen: set[str] = set()
    for value in values:
        key = value_key(value)
        if key in seen:
            raise BadAxis(f"Values must differ. Got {shown(value)} twice. Drop one of them.")
        seen.add(key)
