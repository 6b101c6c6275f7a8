"""The promises of an axis: one parameter and the values it may take."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from search_spaces._values import Value

Plain: TypeAlias = list[object] | dict[str, object]


@runtime_checkable
class Axis(Protocol):
    """One parameter and the values it may take.

    Points of any space are drawn in the unit cube and mapped, so that every way of drawing (random,
    quasi-random, a sampler of one's own) serves every kind of axis.
    """

    @property
    def size(self) -> int | None:
        """Number of points; None on a continuous axis."""
        ...

    @property
    def dimensions(self) -> int:
        """How many unit coordinates make one value."""
        ...

    def points(self) -> Iterator[Value]:
        """All values, always in the same order.

        Raises:
            ContinuousAxis: There are infinitely many.
            EmptySpace: There are none.
            TooManyPoints: There are too many to train.
        """
        ...

    def from_unit(self, u: Sequence[float]) -> Value:
        """The value at ``[dimensions]`` coordinates in [0, 1].

        Raises:
            BadValue: Their number or one of them is wrong.
        """
        ...

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """Coordinates ``[dimensions]`` that `from_unit` maps to this value.

        Raises:
            UnknownValue: The axis does not hold the value.
        """
        ...

    def to_plain(self) -> Plain:
        """Lists, dicts, numbers and strings: the form written in TOML and JSON."""
        ...
