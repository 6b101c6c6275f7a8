"""A space: named axes, and the ways to walk or sample all of them at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from search_spaces._axis import Axis, Plain
from search_spaces._draws import uniforms
from search_spaces._halton import halton
from search_spaces._values import Point, as_count
from search_spaces.errors import BadAxis, WrongType, blamed_on


@dataclass(frozen=True, slots=True)
class Space:
    """What may be tried: one axis per parameter, all combinations of their values.

    Attributes:
        axes: Parameter name to axis. Without any, the space has one point, and that is empty.

    Raises:
        BadAxis: A parameter has no name.
        WrongType: `axes` is no mapping, or one of its values no axis.
    """

    axes: Mapping[str, Axis]

    def __post_init__(self) -> None:
        if not isinstance(self.axes, Mapping):
            raise WrongType(f"The axes must be a mapping from names. Got {self.axes!r}. Name them.")
        for name, axis in self.axes.items():
            _check_axis(name, axis)
        object.__setattr__(self, "axes", dict(self.axes))

    @property
    def size(self) -> int | None:
        """Number of combinations; None if an axis is continuous."""
        sizes = [axis.size for axis in self.axes.values()]
        known = [size for size in sizes if size is not None]
        return prod(known) if len(known) == len(sizes) else None

    @property
    def dimensions(self) -> int:
        """How many unit coordinates make one point."""
        return sum(axis.dimensions for axis in self.axes.values())

    def grid(self) -> Iterator[Point]:
        """All combinations, in the order of the axes, the last axis fastest.

        Raises:
            ContinuousAxis: An axis is continuous.
            EmptySpace: An axis has no points.
            TooManyPoints: An axis has too many points.
        """
        columns = []
        for name, axis in self.axes.items():
            with blamed_on(name):
                columns.append(axis.points())
        return (dict(zip(self.axes, row, strict=True)) for row in product(*columns))

    def random(self, n: int, *, key: str) -> list[Point]:
        """Independent random points: number i depends on (key, i) alone, not on `n`.

        Raises:
            BadValue: `n` is negative.
            EmptySpace: An axis has no points.
        """
        return [
            {
                name: axis.from_unit(uniforms("random", key, i, name, count=axis.dimensions))
                for name, axis in self.axes.items()
            }
            for i in range(as_count(n, what="`n`", at_least=0))
        ]

    def quasi_random(self, n: int, *, key: str) -> list[Point]:
        """Evenly spread random points: number i depends on (key, i) alone, not on `n`.

        Raises:
            BadValue: `n` is negative.
            EmptySpace: An axis has no points.
        """
        return [
            self._at(halton(i, key=key, dimensions=self.dimensions))
            for i in range(as_count(n, what="`n`", at_least=0))
        ]

    def to_plain(self) -> dict[str, Plain]:
        """Parameter name to the plain form of its axis."""
        return {name: axis.to_plain() for name, axis in self.axes.items()}

    def _at(self, u: Sequence[float]) -> Point:
        point: Point = {}
        start = 0
        for name, axis in self.axes.items():
            point[name] = axis.from_unit(u[start : start + axis.dimensions])
            start += axis.dimensions
        return point


def _check_axis(name: object, axis: object) -> None:
    if not isinstance(name, str) or not name:
        raise BadAxis(f"A parameter needs a name. Got {name!r}. Name it like `lr`.")
    if not isinstance(axis, Axis):
        raise WrongType(
            f"Parameter `{name}` must be an axis. Got {axis!r}. "
            "Wrap its values in Choices(...), or read plain forms with space_from_plain."
        )
