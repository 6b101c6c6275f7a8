"""Where to look next on a line of tried values."""

import math
from bisect import bisect_left
from collections.abc import Sequence

from search_spaces._axis import Axis
from search_spaces._ranges import LogRange, Range
from search_spaces._shown import shown
from search_spaces._simplex_grid import SimplexGrid
from search_spaces._simplex_random import SimplexRandom
from search_spaces._values import Value, as_count, as_number, rounded
from search_spaces.errors import BadValue, UnknownValue, WrongType
from search_spaces.whole import IntRange, LogIntRange

__all__ = ["midpoint", "neighbours", "refinements"]


def refinements(values: Sequence[float], best: float, *, outward: int) -> tuple[float, ...]:
    """The values to try around the best one: the geometric midpoints to both neighbours.

    At an edge the missing midpoint is replaced by one step outward, by the same ratio as to the
    inner neighbour. A single value gives its half and its double. Values are rounded to six
    significant digits, and those already there are left out.

    Args:
        values: The values tried, in any order, none negative.
        best: One of them.
        outward: How many outward steps are still allowed; 0 keeps within the edges.

    Returns:
        At most two new values, ascending.

    Raises:
        UnknownValue: `best` is not among `values`.
        BadValue: A value is negative or not finite, or `outward` is negative.
        WrongType: A value is not a number.
    """
    as_count(outward, what="`outward`", at_least=0)
    line = _line(values)
    _refuse_negative(line)
    below, above = _around(line, best)
    found = [
        _middle(best, near) if near is not None else _beyond(best, far, outward)
        for near, far in ((below, above), (above, below))
    ]
    if below is None and above is None:
        found = [best / 2, best * 2]
    there = {rounded(value) for value in line}
    new = {rounded(value) for value in found if value is not None and math.isfinite(value)}
    return tuple(sorted(new - there - {0.0}))


def neighbours(values: Sequence[float], best: float) -> tuple[float, ...]:
    """The tried values directly below and above the best one; one of them at an edge.

    Raises:
        UnknownValue: `best` is not among `values`.
        BadValue: A value is not finite.
        WrongType: A value is not a number.
    """
    return tuple(value for value in _around(_line(values), best) if value is not None)


def midpoint(axis: Axis) -> Value:
    """The value a parameter rests at until it is tuned: the middle of its line.

    sqrt(min max) to six significant digits for numbers, the value halfway for a linear range and
    for whole numbers; 1/T each for task weights.

    Raises:
        WrongType: The axis holds strings or bools, which have no middle.
        BadValue: The axis holds negative numbers.
    """
    if isinstance(axis, LogRange):
        return rounded(_middle(axis.low, axis.high))
    if isinstance(axis, IntRange | LogIntRange):
        return axis.from_unit((0.5,))
    if isinstance(axis, Range):
        return axis.middle
    if isinstance(axis, SimplexGrid | SimplexRandom):
        return _equal_weights(axis.n_tasks)
    values = list(axis.points())
    if isinstance(values[0], tuple):
        return _equal_weights(len(values[0]))
    line = [_number_on_line(value) for value in values]
    _refuse_negative(line)
    return rounded(_middle(min(line), max(line)))


def _line(values: Sequence[float]) -> list[float]:
    return sorted({as_number(value, what="A value of the line") for value in values})


def _around(line: list[float], best: float) -> tuple[float | None, float | None]:
    index = bisect_left(line, best)
    if index == len(line) or line[index] != best:
        raise UnknownValue(
            f"`best` must be one of {shown(line)}. Got {shown(best)}. Add it to the values."
        )
    return (
        line[index - 1] if index > 0 else None,
        line[index + 1] if index + 1 < len(line) else None,
    )


def _middle(a: float, b: float) -> float:
    return math.sqrt(a) * math.sqrt(b)  # the product itself could leave a float's range


def _beyond(best: float, inner: float | None, outward: int) -> float | None:
    if outward == 0 or not inner:
        return None  # from an inner neighbour of 0 there is no ratio to keep
    return best * (best / inner)


def _equal_weights(n_tasks: int) -> tuple[float, ...]:
    return (1 / n_tasks,) * n_tasks


def _refuse_negative(line: Sequence[float]) -> None:
    if min(line, default=0.0) < 0.0:
        raise BadValue(
            f"A geometric middle needs values of 0 or above. Got {min(line)}. Refine by hand."
        )


def _number_on_line(value: Value) -> float:
    try:
        return as_number(value, what="A value of the line")
    except WrongType as error:
        raise WrongType(f"{shown(value)} has no middle. State the value to rest at.") from error
