"""The values in a point, checked and brought into one form."""

import math
from collections.abc import Sequence
from typing import TypeAlias, TypeGuard

from search_spaces.errors import BadValue, WrongType

Value: TypeAlias = float | int | str | bool | tuple[float, ...]
Point: TypeAlias = dict[str, Value]

SIGNIFICANT_DIGITS = 6


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
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongType(f"{what} must be a number. Got {value!r}. Write it like 0.01.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number != value:
        raise BadValue(
            f"{what} must be finite and exact as a float. Got {value!r}. Write a number like 0.01."
        )
    return number + 0.0  # -0.0 becomes 0.0: equal values, equal keys


def as_count(value: object, *, what: str, at_least: int = 1) -> int:
    """A whole number.

    Raises:
        WrongType: It is not an int (a bool is none here).
        BadValue: It is below `at_least`.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(f"{what} must be a whole number. Got {value!r}. Write it like 5.")
    if value < at_least:
        raise BadValue(f"{what} must be at least {at_least}. Got {value}. Raise it.")
    return int(value)


def as_flag(value: object, *, what: str) -> bool:
    """True or false, and nothing that merely looks like it.

    Raises:
        WrongType: It is not a bool.
    """
    if not isinstance(value, bool):
        raise WrongType(f"{what} must be true or false. Got {value!r}. Write it without quotes.")
    return value


def as_value(value: object, *, what: str = "A value") -> Value:
    """A value as points hold it: sequences of numbers become tuples of floats.

    Raises:
        WrongType: It is none of number, string, bool and sequence of numbers.
        BadValue: A number is not finite, or a sequence is empty.
    """
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        as_number(value, what=what)
        return int(value)
    if isinstance(value, list | tuple):
        return _as_floats(value, what=what)
    if isinstance(value, float):
        return as_number(value, what=what)
    raise WrongType(
        f"{what} must be a number, a string, true or false, or a list of numbers. Got {value!r}. "
        "Convert it first."
    )


def is_row(value: Value, *, length: int) -> TypeGuard[tuple[float, ...]]:
    """Whether this is a tuple of so many finite numbers."""
    return isinstance(value, tuple) and len(value) == length and all(map(math.isfinite, value))


def _as_floats(values: Sequence[object], *, what: str) -> tuple[float, ...]:
    if not values:
        raise BadValue(f"{what} is an empty list. Write one number per task.")
    return tuple(as_number(v, what=f"Entry {i} of {what}") for i, v in enumerate(values, start=1))
