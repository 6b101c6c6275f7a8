"""Optuna's door: the parameters of a space as TPE sees them.

Values without an order are categories. Whole numbers are whole numbers. Everything else is seen as
coordinates of the unit cube, which the axis maps to values: a simplex of weights has no
distribution of Optuna's.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TypeAlias

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search_spaces import Axis, Choices, Value
from search_spaces.whole import IntRange, LogIntRange

Coordinates: TypeAlias = dict[str, float | int]


def distributions(name: str, axis: Axis) -> dict[str, BaseDistribution]:
    """What TPE is to sample for an axis, by coordinate."""
    if _is_categorical(axis):
        return {name: CategoricalDistribution(range(axis.size or 0))}
    if isinstance(axis, IntRange):
        # the place in the range, so that no upper end lies between two steps
        return {name: IntDistribution(0, axis.size - 1)}
    if _is_log_whole(axis):
        return {name: IntDistribution(axis.low, axis.high, log=True)}  # type: ignore[attr-defined]
    return {f"{name}.{k}": FloatDistribution(0.0, 1.0) for k in range(axis.dimensions)}


def to_coordinates(name: str, axis: Axis, value: Value) -> Coordinates:
    """A value as TPE sees it.

    Raises:
        UnknownValue: The axis does not hold it.
    """
    unit = axis.to_unit(value)
    if _is_categorical(axis):
        return {name: int(unit[0] * (axis.size or 0))}
    if isinstance(axis, IntRange):
        return {name: (int(value) - axis.low) // axis.step}  # type: ignore[arg-type]
    if _is_log_whole(axis):
        return {name: int(value)}  # type: ignore[arg-type]
    return {f"{name}.{k}": coordinate for k, coordinate in enumerate(unit)}


def from_coordinates(name: str, axis: Axis, found: Mapping[str, float | int]) -> Value:
    """The value that TPE has sampled."""
    if isinstance(axis, Choices) and _is_categorical(axis):
        return axis.values[int(found[name])]
    if isinstance(axis, IntRange):
        return axis.low + axis.step * int(found[name])
    if _is_log_whole(axis):
        return int(found[name])
    return axis.from_unit([found[f"{name}.{k}"] for k in range(axis.dimensions)])


def _is_categorical(axis: Axis) -> bool:
    """Whether a list of values has no order: numbers that rise or fall have one."""
    if not isinstance(axis, Choices) or axis.size < 2:
        return False
    numbers = [v for v in axis.values if isinstance(v, int | float) and not isinstance(v, bool)]
    rising = all(a < b for a, b in pairwise(numbers))
    falling = all(a > b for a, b in pairwise(numbers))
    return len(numbers) < axis.size or not (rising or falling)


def _is_log_whole(axis: Axis) -> bool:
    return isinstance(axis, LogIntRange) and axis.n_points is None
