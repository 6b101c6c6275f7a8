"""Optuna's door: its TPE sampler as a pure function of the history.

Every proposal gets a new sampler, seeded by its own address, and a study rebuilt in memory: asked
whenever a worker was free, TPE proposed other points every time. A parameter whose condition is not
met is not asked for, and learned from those trials only that have it.

TPE sees values without an order as categories, and whole numbers as whole numbers. Everything else
it sees as coordinates of the unit cube, which the axis maps to values: a simplex of weights has no
distribution of Optuna's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import TypeAlias

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces import Axis, Choices, Point, Space, Value, canonical
from search_spaces.whole import IntRange, LogIntRange
from study.searches.view import StageView, Tried

Coordinates: TypeAlias = dict[str, float | int]

# TPE wants finite values; a diverged trial is worse than all others.
_WORSE_BY = 1.0
_ATTEMPTS = 10


def next_round(view: StageView, *, n: int) -> list[Point]:
    """Propose up to `n` new points; those of this round enter as running for the ones after.

    Fewer where a finite space has no more points.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = view.stage.space
    finished = [_trial(space, tried.point, value) for tried, value in _valued(view)]
    running: list[FrozenTrial] = []
    points: list[Point] = []
    known = {tried.params for tried in view.tried}
    for number in range(len(view.tried), len(view.tried) + n):
        for attempt in range(_ATTEMPTS):
            address = f"{view.address}/{number}/{attempt}"
            point = _ask(space, [*finished, *running], address=address)
            if canonical(view.at(point)) not in known:
                break
        else:
            break  # a finite space is (nearly) used up
        known.add(canonical(view.at(point)))
        points.append(point)
        running.append(_trial(space, point, None))
    return points


def _ask(space: Space, trials: Sequence[FrozenTrial], *, address: str) -> Point:
    seed = int.from_bytes(blake2b(address.encode(), digest_size=4).digest(), "big")
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(sampler=sampler, direction="minimize")
    study.add_trials(trials)
    trial = study.ask()
    point: Point = {}
    for name in space.order:
        if space.has(name, point):
            axis = space.axes[name]
            asked = {n: _suggested(trial, n, d) for n, d in distributions(name, axis).items()}
            point[name] = from_coordinates(name, axis, asked)
    return point


def _suggested(trial: optuna.Trial, name: str, known: BaseDistribution) -> float | int:
    if isinstance(known, CategoricalDistribution):
        return int(trial.suggest_categorical(name, known.choices))  # type: ignore[arg-type]
    if isinstance(known, IntDistribution):
        return trial.suggest_int(name, known.low, known.high, log=known.log)
    return trial.suggest_float(name, 0.0, 1.0)


def _valued(view: StageView) -> list[tuple[Tried, float]]:
    ordered = sorted(view.tried, key=lambda tried: tried.trial)
    valued = [(tried, tried.value) for tried in ordered if tried.value is not None]
    values = finite([value for _, value in valued])
    return [(tried, value) for (tried, _), value in zip(valued, values, strict=True)]


def finite(values: Sequence[float]) -> list[float]:
    """Values as TPE wants them: a diverged trial's is a little worse than the worst of others."""
    worst = max((value for value in values if value < math.inf), default=0.0) + _WORSE_BY
    return [min(value, worst) for value in values]


def _trial(space: Space, point: Point, value: float | None) -> FrozenTrial:
    """A trial as Optuna has it; without a value, it is running."""
    params: dict[str, float | int] = {}
    known: dict[str, BaseDistribution] = {}
    for name, axis in space.axes.items():
        if name in point:
            params |= to_coordinates(name, axis, point[name])
            known |= distributions(name, axis)
    state = TrialState.RUNNING if value is None else TrialState.COMPLETE
    return create_trial(state=state, params=params, distributions=known, value=value)


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
