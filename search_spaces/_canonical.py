"""One text per point, so that equal points have equal keys."""

import json
from collections.abc import Mapping

from search_spaces._values import Point, Value, as_number, as_value


def canonical(point: Mapping[str, Value]) -> str:
    """Canonical JSON of a point: its identity.

    Keys are sorted, tuples are lists, and every number is written as a float in its shortest exact
    form: a learning rate of 1 and one of 1.0 are the same trial.

    Raises:
        WrongType: A value is none that a point can hold.
        BadValue: A number is not finite, or an int that no float can hold.
    """
    return as_json({name: _floats(value) for name, value in checked(point).items()})


def value_key(value: Value) -> str:
    """Canonical JSON of a single value: tells true from 1, but not 1 from 1.0."""
    return as_json(_floats(as_value(value, what="`value`")))


def checked(point: Mapping[str, Value]) -> Point:
    """The point with its values as points hold them."""
    return {name: as_value(value, what=f"`{name}`") for name, value in point.items()}


def _floats(value: Value) -> Value:
    """A checked value with every number in it as a float."""
    if isinstance(value, tuple):
        return tuple(_floats(entry) for entry in value)
    if isinstance(value, Mapping):
        return {name: _floats(entry) for name, entry in value.items()}
    if value is None or isinstance(value, bool | str):
        return value
    return as_number(value, what="A number")


def as_json(value: object) -> str:
    """JSON without spaces, keys sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
