"""Optuna's door: a search's parameters as Optuna knows them, with a distribution for each.

A point may hold a row of numbers, which Optuna has no parameter for: it becomes one parameter a
number, ``w_<task>`` for task weights. Tables and other lists become their JSON text. In one Optuna
study a parameter has one kind of distribution, and its choices never change; values that a refined
line adds later would not be among them. So numbers are ranges, over all that the search may try and
has tried.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search_spaces import Axis, Choices, LogRange, Point, Range, Value
from search_spaces.whole import IntRange, LogIntRange

Scalar: TypeAlias = float | int | str | bool | None
_WEIGHTS = "task_weights"


def flat(point: Point, tasks: Sequence[str]) -> dict[str, Scalar]:
    """A point with every row of numbers taken apart."""
    found: dict[str, Scalar] = {}
    for name, value in point.items():
        if isinstance(value, tuple) and all(map(_is_number, value)):
            numbers = cast("tuple[float, ...]", value)
            found |= dict(zip(_parts(name, len(value), tasks), numbers, strict=True))
        else:
            found[name] = _scalar(value)
    return found


def distributions(
    points: Iterable[Mapping[str, Scalar]], axes: Mapping[str, Sequence[Axis]]
) -> dict[str, BaseDistribution]:
    """A distribution for each parameter of some flat points.

    Args:
        axes: What the search may try, by parameter; its bounds are those of its stages together.
    """
    tried: dict[str, list[Scalar]] = {}
    for point in points:
        for name, value in point.items():
            tried.setdefault(name, []).append(value)
    return {name: _distribution(name, tried[name], axes.get(name, ())) for name in sorted(tried)}


def typed(point: Mapping[str, Scalar], known: Mapping[str, BaseDistribution]) -> dict[str, Scalar]:
    """A flat point as Optuna wants it: the database writes whole numbers as floats."""
    return {
        name: int(cast("float", value)) if isinstance(known[name], IntDistribution) else value
        for name, value in point.items()
    }


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scalar(value: Value) -> Scalar:
    return json.dumps(value, sort_keys=True) if isinstance(value, tuple | Mapping) else value


def _parts(name: str, n: int, tasks: Sequence[str]) -> list[str]:
    if name == _WEIGHTS and len(tasks) == n:
        return [f"w_{task}" for task in tasks]
    return [f"{name}.{k}" for k in range(n)]


def _distribution(name: str, tried: Sequence[Scalar], axes: Sequence[Axis]) -> BaseDistribution:
    if not all(map(_is_number, tried)):
        listed = [value for axis in axes if isinstance(axis, Choices) for value in axis.values]
        scalars = [_scalar(value) for value in listed]
        return CategoricalDistribution(tuple(dict.fromkeys([*scalars, *tried])))
    if name.startswith("w_"):
        return FloatDistribution(0.0, 1.0)
    numbers = [float(cast("float", number)) for number in (*tried, *_ends(axes))]
    low, high = min(numbers), max(numbers)
    if axes and all(_is_whole(axis) for axis in axes) and all(n.is_integer() for n in numbers):
        return _whole_numbers(sorted(map(int, numbers)), axes)
    # lines are geometric here: between two of their values lies the geometric middle
    log = 0.0 < low < high and not any(isinstance(axis, Range) for axis in axes)
    return FloatDistribution(low, high, log=log)


def _whole_numbers(numbers: Sequence[int], axes: Sequence[Axis]) -> IntDistribution:
    """Whole numbers over all of those, which rise; in steps if all of them are on these."""
    low, high = numbers[0], numbers[-1]
    if low >= 1 and all(isinstance(axis, LogIntRange) for axis in axes):
        return IntDistribution(low, high, log=True)
    steps = {axis.step if isinstance(axis, IntRange) else 1 for axis in axes}
    step = min(steps)
    in_steps = len(steps) == 1 and all((number - low) % step == 0 for number in numbers)
    return IntDistribution(low, high, step=step if in_steps else 1)


def _ends(axes: Sequence[Axis]) -> list[float]:
    """Both ends of each range, and all numbers of each list."""
    found: list[float] = []
    for axis in axes:
        if isinstance(axis, IntRange):
            found += [axis.low, axis.from_unit((1.0,))]
        elif isinstance(axis, LogRange | Range | LogIntRange):
            found += [axis.low, axis.high]
        elif isinstance(axis, Choices):
            found += [float(v) for v in axis.values if isinstance(v, int | float)]
    return found


def _is_whole(axis: Axis) -> bool:
    if isinstance(axis, Choices):
        return all(isinstance(v, int) and not isinstance(v, bool) for v in axis.values)
    return isinstance(axis, IntRange | LogIntRange)
