"""One text per point, so that equal points have equal keys."""

import json
from collections.abc import Mapping

from search_spaces._values import Value, as_number, as_value


def canonical(point: Mapping[str, Value]) -> str:
    """Canonical JSON of a point.

    Keys are sorted, tuples are lists, and every number is written as a float in its shortest exact
    form: a learning rate of 1 and one of 1.0 are the same trial.

    Raises:
        WrongType: A value is none that a point can hold.
        BadValue: A number is not finite, or an int that no float can hold.
    """
    plain = {name: _plain(value, name) for name, value in point.items()}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def value_key(value: Value) -> str:
    """Canonical JSON of a single value: tells true from 1, but not 1 from 1.0."""
    return json.dumps(_plain(value, "value"), separators=(",", ":"))


def _plain(value: Value, name: str) -> float | str | bool | list[float]:
    known = as_value(value, what=f"`{name}`")
    if isinstance(known, tuple):
        return list(known)
    if isinstance(known, bool | str):
        return known
    return as_number(known, what=f"`{name}`")
