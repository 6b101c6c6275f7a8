"""Axes for what other libraries call a range: whole numbers, steps, and what there is no axis for.

The libraries are not imported: their objects are known by their attributes.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from search_spaces._axis import Axis
from search_spaces._choices import Choices
from search_spaces._conditions import When
from search_spaces._int_range import IntRange
from search_spaces._log_int_range import LogIntRange
from search_spaces._log_range import LogRange
from search_spaces._range import Range
from search_spaces._rules import RULES, TASK_WEIGHTS, checked_numbers, checked_weights
from search_spaces._shown import shown
from search_spaces._space import Space
from search_spaces._values import MAX_POINTS
from search_spaces.errors import BadAxis, TooManyPoints, WrongType, blamed_on


def space_of(
    found: object, axis_of: Callable[[Any], Axis], *, when: When | None, what: str
) -> Space:
    """The space of foreign axes by name, each checked by the rules of its parameter.

    Args:
        when: Conditions, as `Space` has them.

    Raises:
        SpaceError: An axis cannot be expressed; the message begins with the parameter.
    """
    if not isinstance(found, Mapping):
        raise WrongType(
            f"{what} must be a mapping by parameter. Got {shown(found)}. Name each one."
        )
    axes = {}
    for name, foreign in found.items():
        with blamed_on(str(name)):
            axes[name] = _ruled(name, axis_of(foreign))
    return Space(axes, {} if when is None else when)


def between(low: float, high: float, *, log: bool) -> Axis:
    """All numbers between two ends; a single value if they are equal."""
    if low == high:
        return Choices([float(low)])
    return LogRange(low, high) if log else Range(low, high)


def stepped(low: float, high: float, step: float) -> Axis:
    """``low``, ``low + step``, ... up to ``high``, counted as decimals read.

    Raises:
        TooManyPoints: There are more than anybody could try.
    """
    first, by = Fraction(repr(float(low))), Fraction(repr(float(step)))
    n = int((Fraction(repr(float(high))) - first) / by) + 1
    _refuse_too_many(n, f"steps from {low} to {high}")
    return Range(low, float(first + (n - 1) * by), points=n) if n > 1 else Choices([float(low)])


def whole(low: int, high: int, *, step: int = 1, log: bool = False) -> Axis:
    """Whole numbers from `low` to `high`, both included."""
    return LogIntRange(low, high) if log and low != high else IntRange(low, high, step)


def _refuse_too_many(n: int, what: str) -> None:
    if n > MAX_POINTS:
        raise TooManyPoints(
            f"{n:,} {what} are more than {MAX_POINTS:,}. "
            "Take a larger step, or a continuous range that the code rounds."
        )


def _ruled(name: str, axis: Axis) -> Axis:
    """The axis, if its values keep the rules of a known parameter."""
    if isinstance(axis, Choices):
        if name == TASK_WEIGHTS:
            first = axis.values[0]
            n_tasks = len(first) if isinstance(first, tuple) else 1
            return Choices(checked_weights(axis.values, n_tasks=n_tasks))
        return Choices(checked_numbers(name, axis.values)) if name in RULES else axis
    if name == TASK_WEIGHTS:
        raise BadAxis(
            f"Task weights are rows that sum to 1. Got {axis}. List the rows, or write "
            "{ simplex_step = 0.1 } or { dirichlet = 50 } in the study."
        )
    if name in RULES and isinstance(axis, LogRange | Range | IntRange | LogIntRange):
        checked_numbers(name, [axis.low, axis.high])
    return axis
