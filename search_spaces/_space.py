"""A space: named axes, and the ways to walk or sample all of them at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from search_spaces._axis import Axis, Plain
from search_spaces._conditions import Conditions, When
from search_spaces._draws import halton, uniforms
from search_spaces._shown import shown
from search_spaces._values import Point, Value, as_count
from search_spaces.errors import BadAxis, WrongType, blamed_on
from search_spaces.variants import named, parameter_of


@dataclass(frozen=True, slots=True)
class Space:
    """What may be tried: one axis per parameter, all combinations of their values.

    Attributes:
        axes: Parameter name to axis. Without any, the space has one point, and that is empty.
        when: Parameters that are there for some values of others only, such as
            ``{"momentum": {"optimizer": "sgd"}}``. Where one is not, points do without it. Axes
            called ``lr@a`` and ``lr@b`` with conditions are variants of one parameter, `lr`.

    Raises:
        BadAxis: A parameter has no name, or a condition does not fit the axes.
        WrongType: `axes` is no mapping, one of its values no axis, or a condition no table.
    """

    axes: Mapping[str, Axis]
    when: When = field(default_factory=dict)
    _conditions: Conditions = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.axes, Mapping):
            raise WrongType(
                f"The axes must be a mapping from names. Got {shown(self.axes)}. Name them."
            )
        for name, axis in self.axes.items():
            _check_axis(name, axis)
        conditions = Conditions(self.axes, self.when)
        object.__setattr__(self, "axes", dict(self.axes))
        object.__setattr__(self, "when", conditions.when)
        object.__setattr__(self, "_conditions", conditions)

    @property
    def size(self) -> int | None:
        """Number of points; None if an axis is continuous."""
        sizes = [axis.size for axis in self.axes.values()]
        if any(size is None for size in sizes):
            return None
        free = prod(axis.size or 0 for name, axis in self.axes.items() if not self._is_tied(name))
        tied = tuple(name for name in self._conditions.order if self._is_tied(name))
        return free * self._counted(tied, {})

    @property
    def dimensions(self) -> int:
        """How many unit coordinates make one point."""
        return sum(axis.dimensions for axis in self.axes.values())

    def grid(self) -> Iterator[Point]:
        """All points, in the order of the axes, the last axis fastest.

        An axis that depends on others is walked behind them.

        Raises:
            ContinuousAxis: An axis is continuous.
            EmptySpace: An axis has no points.
            TooManyPoints: An axis has too many points.
        """
        columns = {}
        for name in self._conditions.order:
            with blamed_on(name):
                columns[name] = tuple(self.axes[name].points())
        return self._walked(tuple(columns), columns, {})

    def random(self, n: int, *, key: str) -> list[Point]:
        """Independent random points: number i depends on (key, i) alone, not on `n`.

        Raises:
            BadValue: `n` is negative.
            EmptySpace: An axis has no points.
        """
        return [
            self.kept(
                {
                    name: axis.from_unit(uniforms("random", key, i, name, count=axis.dimensions))
                    for name, axis in self.axes.items()
                }
            )
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
        """Parameter name to the plain form of its axis, with its conditions as `when`."""
        return {name: self._plain(name, axis.to_plain()) for name, axis in self.axes.items()}

    def kept(self, point: Mapping[str, Value]) -> Point:
        """A point without the parameters whose conditions it does not meet."""
        return self._conditions.kept(point) if self.when else dict(point)

    def has(self, name: str, point: Mapping[str, Value]) -> bool:
        """Whether a parameter is there, beside what a point holds of those it depends on."""
        return self._conditions.met(name, point)

    def named(self, point: Mapping[str, Value]) -> Point:
        """A point with `lr` in place of its variant ``lr@sgd``."""
        return named(point, self.when)

    def labelled(self, point: Mapping[str, Value]) -> Point:
        """What `named` was given: each parameter as the variant whose condition it meets."""
        found = dict(point)
        for name in self.when:
            parameter = parameter_of(name)
            if parameter != name and parameter in found and self.has(name, found):
                found[name] = found.pop(parameter)
        return found

    @property
    def order(self) -> tuple[str, ...]:
        """The parameters, each behind those that it depends on."""
        return self._conditions.order

    def _plain(self, name: str, plain: Plain) -> Plain:
        if name not in self.when:
            return plain
        table: dict[str, object] = plain if isinstance(plain, dict) else {"line": plain}
        return table | {"when": dict(self.when[name])}

    def _is_tied(self, name: str) -> bool:
        """Whether a parameter has conditions, or others have conditions on it."""
        return name in self.when or name in self._conditions.parents

    def _counted(self, names: tuple[str, ...], point: Point) -> int:
        """How many ways there are to go on from a point by these parameters."""
        if not names:
            return 1
        name, *rest = names
        if not self.has(name, point):
            return self._counted(tuple(rest), point)
        axis = self.axes[name]
        if name not in self._conditions.parents:
            return (axis.size or 0) * self._counted(tuple(rest), point)
        return sum(self._counted(tuple(rest), point | {name: value}) for value in axis.points())

    def _walked(
        self, names: tuple[str, ...], columns: Mapping[str, tuple[Value, ...]], point: Point
    ) -> Iterator[Point]:
        """All points that go on from one by these parameters."""
        if not names:
            yield point
            return
        name, rest = names[0], names[1:]
        if not self.has(name, point):
            yield from self._walked(rest, columns, point)
            return
        for value in columns[name]:
            yield from self._walked(rest, columns, point | {name: value})

    def _at(self, u: Sequence[float]) -> Point:
        point: Point = {}
        start = 0
        for name, axis in self.axes.items():
            point[name] = axis.from_unit(u[start : start + axis.dimensions])
            start += axis.dimensions
        return self.kept(point)


def _check_axis(name: object, axis: object) -> None:
    if not isinstance(name, str) or not name:
        raise BadAxis(f"A parameter needs a name. Got {shown(name)}. Name it like `lr`.")
    if not isinstance(axis, Axis):
        raise WrongType(
            f"Parameter `{name}` must be an axis. Got {shown(axis)}. "
            "Wrap its values in Choices(...), or read plain forms with space_from_plain."
        )
