"""Which parameters of a search matter: exactly on full grids, else by estimators passed in.

Each way answers a question of its own, and says which. All go by validation, seed by seed.

Shapes: N trials, S seeds.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np

from reports._eligible import eligible
from reports._importance import Importance, Share
from reports._titles import title_of
from reports.frames import StudyFrames
from reports.inference import mean_of
from reports.measures import FloatArray

Scalar: TypeAlias = float | int | str | bool
Estimators: TypeAlias = Callable[
    [Sequence[Mapping[str, Any]], Sequence[float]], Mapping[str, Mapping[str, float]]
]
"""Points and values, lower is better, to each estimator's shares by parameter."""

TOGETHER: Final = "only together"
"""What parameters explain that none of them does alone."""

EXACT: Final = "sums of squares"
_ANSWERS: Final = {
    EXACT: "how much of the variance over the whole grid each explains",
    "fANOVA": "how much of the variance over all that could be tried each explains, by trees "
    "fitted to the trials",
    "PED-ANOVA": "what sets the best trials apart, the best tenth or five of them, from all",
}
_FEWEST_TRIALS: Final = 10


def importances(
    frames: StudyFrames, search: str, estimators: Estimators | None = None
) -> tuple[Importance, ...]:
    """What the parameters of a search explain of its trials' values on validation.

    Rows of numbers, such as task weights, and parameters that not every trial has take no part.

    Args:
        estimators: Asked where the trials are no full grid; None for none.

    Returns:
        None with fewer than two parameters that vary, where all values are equal, and below ten
        trials that are no full grid.
    """
    trials = eligible(frames, search)
    done = np.isfinite(trials.keys).all(axis=1)
    values, points = trials.keys[done], _points(frames, search, trials.numbers[done].tolist())
    if len(points) < 2 or len(points[0]) < 2 or np.ptp(values, axis=0).min() == 0:
        return ()
    grid, found = _full(points, values), dict[str, list[Mapping[str, float]]]()
    if grid is not None:
        names = [*points[0]]
        found[EXACT] = [sums_of_squares(one, names) for one in np.moveaxis(grid, -1, 0)]
    elif estimators is not None and len(points) >= _FEWEST_TRIALS:
        answered = [estimators(points, one.tolist()) for one in values.T]
        found |= {name: [one[name] for one in answered] for name in answered[0]}
    return tuple(
        Importance(
            search=search,
            title=search if frames.of_function else title_of(frames, search),
            method=method,
            answers=_ANSWERS.get(method, "an estimator's own"),
            shares=_shares(by_seed),
            n_trials=len(points),
            n_left_out=int(np.sum(~done)),
        )
        for method, by_seed in found.items()
    )


def sums_of_squares(grid: FloatArray, params: Sequence[str]) -> dict[str, float]:
    """Shares of the variance over a full grid: of each parameter alone, and of all only together.

    Args:
        grid: A value a cell, one axis a parameter; not all equal.
        params: Their names, in the order of the axes.
    """
    total = float(np.mean((grid - grid.mean()) ** 2))
    alone = {}
    for axis, param in enumerate(params):
        others = tuple(other for other in range(grid.ndim) if other != axis)
        alone[param] = float(np.var(grid.mean(axis=others))) / total
    return alone | {TOGETHER: max(0.0, 1.0 - math.fsum(alone.values()))}


def _points(frames: StudyFrames, search: str, numbers: Sequence[int]) -> list[dict[str, Scalar]]:
    """The parameters that vary, of each trial, in one order."""
    runs = frames.runs_of(search).drop_duplicates("trial")
    written = runs.set_index("trial")["params"]
    points = [json.loads(written[number]) for number in numbers]
    names = [
        name for name in (points[0] if points else ()) if all(name in point for point in points)
    ]
    varied = [
        name
        for name in names
        if all(isinstance(point[name], float | int | str) for point in points)
        and len({point[name] for point in points}) > 1
    ]
    return [{name: point[name] for name in varied} for point in points]


def _full(points: Sequence[Mapping[str, Scalar]], values: FloatArray) -> FloatArray | None:
    """The values with an axis a parameter, and one of the seeds; None where a cell is missing."""
    levels = [sorted({point[name] for point in points}, key=str) for name in points[0]]
    shape = tuple(map(len, levels))
    if math.prod(shape) != len(points):
        return None
    cells = [
        tuple(line.index(value) for line, value in zip(levels, point.values(), strict=True))
        for point in points
    ]
    if len({*cells}) < len(cells):
        return None
    grid = np.empty((*shape, values.shape[1]))
    for cell, value in zip(cells, values, strict=True):
        grid[cell] = value
    return grid


def _shares(by_seed: Sequence[Mapping[str, float]]) -> tuple[Share, ...]:
    found = []
    for param in by_seed[0]:
        mean = mean_of([shares[param] for shares in by_seed])
        known = mean.interval()
        if known is not None:
            known = replace(known, low=max(0.0, known.low), high=min(1.0, known.high))
        found.append(Share(param=param, value=mean.value, interval=known))
    return tuple(sorted(found, key=lambda one: -one.value))
