"""Optuna's door: what its samplers propose as a pure function of the history.

Every proposal gets a new sampler, seeded by its own address, and a study rebuilt in memory: asked
whenever a worker was free, TPE proposed other points every time. A parameter whose condition is not
met is not asked for, and learned from those trials only that have it.

Samplers see values without an order as categories, and whole numbers as whole numbers. Everything
else they see as coordinates of the unit cube, which the axis maps to values: a simplex of weights
has no distribution of Optuna's.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from itertools import groupby, pairwise
from typing import TypeAlias

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces import Axis, Choices, Point, Space, Value, canonical
from search_spaces.whole import IntRange, LogIntRange
from study.searches.optuna_samplers import TPE, learns_from_values, sampler_of
from study.searches.view import StageView

Coordinates: TypeAlias = dict[str, float | int]

# TPE wants finite values; a diverged trial is worse than all others.
_WORSE_BY = 1.0
_ATTEMPTS, _DRAWS = 10, 1_000
_SEQUENCE = "QMCSampler"


def next_round(view: StageView, *, n: int) -> list[Point]:
    """Propose up to `n` new points; those of this round enter as running for the ones after.

    A point that was tried before is asked for again, with another seed; a sampler that insists on
    it gets a random new one in its place. Fewer where a finite space has no more points.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _remembered(view)
    points: list[Point] = []
    known = {tried.params for tried in view.tried}
    for number in range(len(view.tried), len(view.tried) + n):
        point = _new_point(view, study, number, known)
        if point is None:
            break  # a finite space is (nearly) used up
        known.add(canonical(view.at(point)))
        points.append(point)
    return points


def _new_point(
    view: StageView, study: optuna.Study, number: int, known: Collection[str]
) -> Point | None:
    space = view.stage.space
    for attempt in range(_ATTEMPTS):
        study.sampler = _sampler(view, f"{number}/{attempt}")
        trial, point = _asked(study, space)
        if canonical(view.at(point)) not in known:
            return point
        study.tell(trial, state=TrialState.FAIL)
    if not view.stage.sampler:
        return None
    for point in space.random(_DRAWS, key=f"{view.address}/{number}"):
        if canonical(view.at(point)) not in known:
            study.add_trial(_trial(space, point, None))
            return point
    return None


def _sampler(view: StageView, address: str) -> BaseSampler:
    """A new sampler, seeded by an address in the stage.

    QMC has one seed for a stage: its points are evenly spread as parts of one sequence.
    """
    name = view.stage.sampler or TPE
    whole = view.address if name == _SEQUENCE else f"{view.address}/{address}"
    seed = int.from_bytes(blake2b(whole.encode(), digest_size=4).digest(), "big")
    return sampler_of(name, view.stage.options, seed)


def _remembered(view: StageView) -> optuna.Study:
    """A study in memory with all that stands in the stage.

    A sampler that learns from values is told points and values. Others leave marks on what they
    propose, by which they know their generations: they are asked again for each point that
    stands, round by round, and get that point in place of what they say.
    """
    study = optuna.create_study(directions=["minimize"] * view.n_objectives)
    space, valued = view.stage.space, dict(_valued(view))
    ordered = sorted(view.tried, key=lambda tried: tried.trial)
    if learns_from_values(view.stage.sampler or TPE):
        study.add_trials(
            [_trial(space, t.point, valued[t.trial]) for t in ordered if t.trial in valued]
        )
        return study
    number = 0
    for _, of_round in groupby(ordered, key=lambda tried: tried.round):
        asked = []
        for tried in of_round:
            study.sampler = _sampler(view, f"{number}/0")
            study.enqueue_trial(_coordinates(space, tried.point))
            trial, _ = _asked(study, space)
            _ = (
                trial.relative_params
            )  # leaves the marks, which a point that is given does not ask for
            asked.append((trial, valued.get(tried.trial)))
            number += 1
        for trial, value in asked:
            study.tell(trial, value, state=None if value is not None else TrialState.FAIL)
    return study


def _asked(study: optuna.Study, space: Space) -> tuple[optuna.Trial, Point]:
    """A trial that is running now, and its point."""
    trial = study.ask()
    point: Point = {}
    for name in space.order:
        if space.has(name, point):
            axis = space.axes[name]
            asked = {n: _suggested(trial, n, d) for n, d in distributions(name, axis).items()}
            point[name] = from_coordinates(name, axis, asked)
    return trial, point


def _suggested(trial: optuna.Trial, name: str, known: BaseDistribution) -> float | int:
    if isinstance(known, CategoricalDistribution):
        return int(trial.suggest_categorical(name, known.choices))  # type: ignore[arg-type]
    if isinstance(known, IntDistribution):
        return trial.suggest_int(name, known.low, known.high, log=known.log)
    return trial.suggest_float(name, 0.0, 1.0)


def _valued(view: StageView) -> list[tuple[int, Sequence[float]]]:
    """Numbers of the trials that have a value, and what the sampler is told: one an objective."""
    valued = [t for t in view.tried if t.value is not None]
    columns = [finite(column) for column in zip(*(t.values for t in valued), strict=True)]
    return list(zip([t.trial for t in valued], zip(*columns, strict=True), strict=True))


def finite(values: Sequence[float]) -> list[float]:
    """Values as TPE wants them: a diverged trial's is a little worse than the worst of others."""
    worst = max((value for value in values if value < math.inf), default=0.0) + _WORSE_BY
    return [min(value, worst) for value in values]


def _trial(space: Space, point: Point, values: Sequence[float] | None) -> FrozenTrial:
    """A trial as Optuna has it; without a value, it is running."""
    known: dict[str, BaseDistribution] = {}
    point = space.labelled(point)
    for name, axis in space.axes.items():
        if name in point:
            known |= distributions(name, axis)
    state = TrialState.RUNNING if values is None else TrialState.COMPLETE
    params = _coordinates(space, point)
    return create_trial(state=state, params=params, distributions=known, values=values)


def _coordinates(space: Space, point: Point) -> Coordinates:
    found: Coordinates = {}
    point = space.labelled(point)
    for name, axis in space.axes.items():
        if name in point:
            found |= to_coordinates(name, axis, point[name])
    return found


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
