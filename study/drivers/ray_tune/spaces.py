"""A search space as Ray Tune's ``param_space``."""

from __future__ import annotations

from typing import Any

from ray import tune

from search_spaces import Axis, LogRange, Range, Space


def param_space(space: Space) -> dict[str, Any]:
    """Convert a space for `ray.tune.Tuner`.

    Finite axes become `grid_search` over their points, continuous ranges `loguniform` or `uniform`;
    an axis of several unit coordinates that has no points (a simplex that is too large) raises what
    its `points` raises. The way back is `search_spaces.from_ray`.
    """
    return {name: _domain(axis) for name, axis in space.axes.items()}


def _domain(axis: Axis) -> Any:
    if isinstance(axis, LogRange) and axis.size is None:
        return tune.loguniform(axis.low, axis.high)
    if isinstance(axis, Range) and axis.size is None:
        return tune.uniform(axis.low, axis.high)
    return tune.grid_search(list(axis.points()))
