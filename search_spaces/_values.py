"""The values in a point, checked and brought into one form."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeGuard

from search_spaces._shown import shown
from search_spaces.errors import BadValue, WrongType

Value: TypeAlias = "float | int | str | bool | tuple[Value, ...] | Mapping[str, Value] | None"
Point: TypeAlias = dict[str, Value]

SIGNIFICANT_DIGITS = 6
MAX_POINTS = 100_000
"""Of one axis: more than anybody could train, few enough to be listed."""

_DEEPEST = 20  # tables and lists within each other; far more than any network needs


def rounded(value: float) -> float:
    """To six significant digits: a computed value must be the same in every study's keys."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def as_number(value: object, *, what: str) -> float:
    """A finite float.

    Args:
        value: An int or a float; a bool is neither here.
        what: The start of the message, such as "`low`".

    Raises:
        WrongType: It is not a number.
        BadValue: It is not finite, or an int that no float can hold.
    """
    value = native(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongType(f"{what} must be a number. Got {shown(value)}. Write it like 0.01.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number != value:
        raise BadValue(
            f"{what} must be finite and exact as a float. Got {shown(value)}. "
            "Write a number like 0.01."
        )
    return number + 0.0  # -0.0 becomes 0.0: equal values, equal keys


def as_count(value: object, *, what: str, at_least: int = 1, at_most: int | None = None) -> int:
    """A whole number.

    Raises:
        WrongType: It is not an int (a bool is none here).
        BadValue: It is below `at_least`, or above `at_most`.
    """
    value = native(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(f"{what} must be a whole number. Got {shown(value)}. Write it like 5.")
    if value < at_least:
        raise BadValue(f"{what} must be at least {at_least}. Got {value}. Raise it.")
    if at_most is not None and value > at_most:
        raise BadValue(f"{what} must be at most {at_most:,}. Got {value:,}. Lower it.")
    return int(value)


def as_flag(value: object, *, what: str) -> bool:
    """True or false, and nothing that merely looks like it.

    Raises:
        WrongType: It is not a bool.
    """
    value = native(value)
    if not isinstance(value, bool):
        raise WrongType(
            f"{what} must be true or false. Got {shown(value)}. Write it without quotes."
        )
    return value


def native(value: Any) -> Any:
    """A number or an array of numpy as Python's own; anything else as it is.

    Numpy stays outside: its values are known by their attributes.
    """
    return value.tolist() if hasattr(value, "dtype") and hasattr(value, "tolist") else value


def as_value(value: object, *, what: str = "A value", depth: int = 0) -> Value:
    """A value as points hold it: whole numbers stay whole, lists become tuples.

    Args:
        value: Anything that TOML or JSON can write, None included, or a number of numpy.
        what: The start of the message, such as "`hidden`".
        depth: How many lists and tables this value lies in.

    Raises:
        WrongType: It is none of these, or a key of a table is no string.
        BadValue: A number is not finite, or lists and tables lie too deep within each other.
    """
    value = native(value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        as_number(value, what=what)
        return int(value)
    if isinstance(value, float):
        return as_number(value, what=what)
    if not isinstance(value, list | tuple | Mapping):
        raise WrongType(
            f"{what} must be a number, a string, true or false, None, or a list or table of these. "
            f"Got {shown(value)}. Convert it first."
        )
    if depth == _DEEPEST:
        raise BadValue(
            f"{what} lies more than {_DEEPEST} lists and tables deep. Write it flatter, or let "
            "the code make it from a name."
        )
    if isinstance(value, Mapping):
        return _table(value, what=what, depth=depth + 1)
    return tuple(
        as_value(v, what=f"Entry {i} of {what}", depth=depth + 1)
        for i, v in enumerate(value, start=1)
    )


def is_number(value: Value) -> TypeGuard[float]:
    """Whether this is an int or a float; a bool is neither here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_row(value: Value, *, length: int) -> TypeGuard[tuple[float, ...]]:
    """Whether this is a tuple of so many finite numbers."""
    return (
        isinstance(value, tuple)
        and len(value) == length
        and all(is_number(entry) and math.isfinite(entry) for entry in value)
    )


def _table(table: Mapping[Any, object], *, what: str, depth: int) -> dict[str, Value]:
    for key in table:
        if not isinstance(key, str):
            raise WrongType(f"The keys of {what} must be strings. Got {shown(key)}. Quote it.")
    return {k: as_value(v, what=f"`{k}` of {what}", depth=depth) for k, v in table.items()}
