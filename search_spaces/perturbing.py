"""How the values of a point are changed for a child of a population: perturbed, or drawn anew.

The rules are those of population-based training (Jaderberg et al., arXiv 1711.09846) as Ray Tune
has them: each parameter is drawn anew with some probability, else a number is multiplied by one of
a few factors, and a value from a list becomes a neighbour in it. What goes beyond the ends of its
axis is put back onto them, which Ray Tune leaves to the caller. Weights of tasks are ours: each
one's share above the floor is multiplied by a factor of its own, and the shares are divided by
their sum.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from search_spaces._axis import Axis
from search_spaces._canonical import value_key
from search_spaces._draws import uniforms
from search_spaces._ranges import LogRange, Range
from search_spaces._simplex_grid import SimplexGrid
from search_spaces._simplex_groups import SimplexGroups
from search_spaces._simplex_random import SimplexRandom
from search_spaces._space import Space
from search_spaces._unit import bucket
from search_spaces._values import Point, Value, is_number, rounded
from search_spaces.whole import IntRange, LogIntRange

__all__ = ["mutated", "place_drawn"]

_SIMPLEX = (SimplexGrid, SimplexRandom, SimplexGroups)


def mutated(
    space: Space,
    point: Point,
    *,
    factors: Sequence[float],
    resample_probability: float,
    key: str,
) -> Point:
    """A point with the parameters of a space changed; all others stay.

    Args:
        point: Holds a value of every axis; none of them depends on others.
        factors: By one of which a number is multiplied.
        resample_probability: Of a parameter to be drawn anew, whatever it was.
        key: Addresses the draws: the same one gives the same point.
    """
    changed: Point = {}
    for name, axis in space.axes.items():
        (draw,) = uniforms("resample", key, name, count=1)
        if draw < resample_probability:
            changed[name] = axis.from_unit(uniforms("anew", key, name, count=axis.dimensions))
        else:
            changed[name] = _perturbed(axis, point[name], factors, f"{key}/{name}")
    return {**point, **changed}


def _perturbed(axis: Axis, value: Value, factors: Sequence[float], key: str) -> Value:
    if isinstance(value, tuple) and isinstance(axis, _SIMPLEX):
        return _weights(axis, value, factors, key)  # type: ignore[arg-type]
    if isinstance(axis, Range | LogRange) and axis.size is None and is_number(value):
        (factor,) = _drawn(factors, key, count=1)
        return min(max(rounded(value * factor), axis.low), axis.high)
    if isinstance(axis, IntRange | LogIntRange) and is_number(value):
        if isinstance(axis, IntRange):
            return _whole(axis, axis.step, value, factors, key)
        if axis.n_points is None:
            return _whole(axis, 1, value, factors, key)
    return _neighbour([*axis.points()], value, key)


def _whole(
    axis: IntRange | LogIntRange, step: int, value: float, factors: Sequence[float], key: str
) -> int:
    """A whole number multiplied by a factor, one step further at least."""
    (factor,) = _drawn(factors, key, count=1)
    steps, most = round((value - axis.low) / step), (axis.high - axis.low) // step
    moved = round((value * factor - axis.low) / step)
    if moved == steps:
        moved += 1 if factor > 1.0 else -1
    return axis.low + step * min(max(moved, 0), most)


def _neighbour(values: Sequence[Value], value: Value, key: str) -> Value:
    """The value before or after in a list; at an end, going beyond it stays there."""
    at = [value_key(one) for one in values].index(value_key(value))
    (draw,) = uniforms("neighbour", key, count=1)
    return values[min(max(at + (-1 if draw < 0.5 else 1), 0), len(values) - 1)]


def _weights(
    axis: SimplexGrid | SimplexRandom | SimplexGroups,
    value: Sequence[float],
    factors: Sequence[float],
    key: str,
) -> tuple[float, ...]:
    """Weights ``[T]`` that sum to 1, none below the least one of the axis."""
    if isinstance(axis, SimplexGroups):
        of_groups = tuple(math.fsum(value[task - 1] for task in group) for group in axis.groups)
        return axis.shared(_weights(axis.of_groups, of_groups, factors, key))
    floor = _floor(axis)
    free = 1.0 - len(value) * floor
    drawn = _unlike(factors, key, count=len(value))
    shares = [
        max(weight - floor, 0.0) * factor for weight, factor in zip(value, drawn, strict=True)
    ]
    total = math.fsum(shares)
    if free <= 0.0 or total <= 0.0:
        return tuple(value)  # nothing is left to share
    return tuple(floor + free * (share / total) for share in shares)


def _unlike(factors: Sequence[float], key: str, *, count: int) -> list[float]:
    """A factor for each weight; not the same for all of them, which would change nothing."""
    if count == 1 or len(set(factors)) == 1:
        return [factors[0]] * count
    draws = (_drawn(factors, f"{key}/{attempt}", count=count) for attempt in itertools.count())
    return next(drawn for drawn in draws if len(set(drawn)) > 1)


def _floor(axis: SimplexGrid | SimplexRandom) -> float:
    """The least weight on an axis."""
    if isinstance(axis, SimplexRandom):
        return axis.floor
    return 0.0 if axis.boundary else axis.step


def _drawn(factors: Sequence[float], key: str, *, count: int) -> list[float]:
    draws = uniforms("factor", key, count=count)
    return [factors[bucket(draw, len(factors))] for draw in draws]


def place_drawn(n: int, *, key: str) -> int:
    """One of `n` places, from 0, all equally likely; the same for the same key."""
    (draw,) = uniforms("place", key, count=1)
    return bucket(draw, n)
