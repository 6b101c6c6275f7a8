"""Parameters that are there for some values of others: ``momentum`` of the optimiser ``sgd``."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Final, TypeAlias

from search_spaces._axis import Axis
from search_spaces._canonical import value_key
from search_spaces._shown import shown
from search_spaces._values import Point, Value, as_value
from search_spaces.errors import BadAxis, SpaceError, WrongType, blamed_on
from search_spaces.variants import parameter_of

When: TypeAlias = Mapping[str, Mapping[str, "Value | Sequence[Value]"]]
"""Parameter -> the parameters it depends on -> for which value, or which of several, it is there.

All of them must hold. A list is several values; one value that is a tuple stands in a list.
"""

_MOST_CASES: Final = 100_000


class Conditions:
    """Checked conditions over some axes.

    Args:
        axes: All parameters.
        when: The conditional ones, with their conditions.

    Raises:
        BadAxis: A condition names what is not there, depends on itself, or can never hold.
        WrongType: A condition is no table of values.
    """

    def __init__(self, axes: Mapping[str, Axis], when: When) -> None:
        if not isinstance(when, Mapping):
            raise WrongType(
                f"Conditions are a mapping by parameter. Got {shown(when)}. "
                'Write {"momentum": {"optimizer": "sgd"}}.'
            )
        self.when = {name: _checked(name, table, axes) for name, table in when.items()}
        _refuse_overlaps(self.when, axes)
        self._keys = {
            name: {parent: frozenset(map(value_key, values)) for parent, values in table.items()}
            for name, table in self.when.items()
        }
        self.parents = frozenset(parent for table in self.when.values() for parent in table)
        self.order = tuple(self._sorted(axes))
        cases = prod(axes[name].size or 1 for name in self.parents)
        if cases > _MOST_CASES:
            raise BadAxis(
                f"Conditions may tell {_MOST_CASES:,} cases apart. Got {cases:,}, by "
                f"{', '.join(sorted(self.parents))}. Give these fewer values."
            )

    def met(self, name: str, point: Mapping[str, Value]) -> bool:
        """Whether a parameter is there, beside those of a point that it depends on."""
        return all(
            parent in point and value_key(point[parent]) in keys
            for parent, keys in self._keys.get(name, {}).items()
        )

    def kept(self, point: Mapping[str, Value]) -> Point:
        """A point without the parameters whose conditions are not met."""
        found = dict(point)
        for name in self.order:
            if name in found and not self.met(name, found):
                del found[name]
        return found

    def _sorted(self, axes: Mapping[str, Axis]) -> Iterator[str]:
        """The parameters as they stand, each behind those that it depends on."""
        seen: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> Iterator[str]:
            if name in path:
                raise BadAxis(
                    f"Conditions must not go in a circle. Got {' -> '.join([*path, name])}. "
                    "Drop one `when`."
                )
            if name not in seen:
                for parent in self.when.get(name, {}):
                    yield from visit(parent, (*path, name))
                if name not in seen:
                    seen.add(name)
                    yield name

        for name in axes:
            yield from visit(name, ())


def _refuse_overlaps(
    when: Mapping[str, Mapping[str, list[Value]]], axes: Mapping[str, Axis]
) -> None:
    """Refuse variants of a parameter of which a point could have two."""
    seen: dict[str, tuple[str, set[str]]] = {}
    for name, table in when.items():
        parameter = parameter_of(name)
        if parameter == name:
            continue
        keys = {value_key(value) for values in table.values() for value in values}
        parent, known = seen.setdefault(parameter, (next(iter(table)), set()))
        if parameter in axes or [*table] != [parent] or keys & known:
            raise BadAxis(
                "Variants of a parameter go by different values of one other, and stand for it. "
                f"Got `{name}` with when = {shown(dict(table))}, beside "
                f"{', '.join(f'`{of}`' for of in axes if of != name)}. Tell them apart."
            )
        known |= keys


def _checked(name: str, table: object, axes: Mapping[str, Axis]) -> Mapping[str, list[Value]]:
    with blamed_on(str(name)):
        if name not in axes:
            raise BadAxis("`when` goes with a parameter of the space. Got none of that name.")
        if not isinstance(table, Mapping) or not table:
            raise WrongType(
                f"`when` is a table from another parameter to its values. Got {shown(table)}. "
                'Write when = { optimizer = "sgd" }.'
            )
        return {parent: _values(parent, values, axes) for parent, values in table.items()}


def _values(parent: str, values: object, axes: Mapping[str, Axis]) -> list[Value]:
    if parent not in axes:
        raise BadAxis(
            f"`when` must name a parameter tuned beside this one. Got `{parent}`; there are "
            f"{', '.join(f'`{name}`' for name in axes)}. Correct it, or tune both together."
        )
    axis = axes[parent]
    if axis.size is None:
        raise BadAxis(
            f"`when` must name a parameter with a list of values, or of whole numbers. "
            f"`{parent}` has neither. List its values, or give its range `points`."
        )
    wanted = values if isinstance(values, list) else [values]
    if not wanted:
        raise BadAxis(f"`when` must name a value of `{parent}`. Got none. Name one, or drop it.")
    try:
        known = [as_value(value) for value in wanted]
        for value in known:
            axis.to_unit(value)
    except SpaceError as error:
        raise BadAxis(f"`when` must name values of `{parent}`. {error}") from error
    return known
