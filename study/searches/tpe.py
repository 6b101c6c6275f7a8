"""Optuna's door: its TPE sampler as a pure function of the history.

Every proposal gets a new sampler, seeded by its own address, and a study rebuilt in memory: asked
whenever a worker was free, TPE proposed other points every time. A parameter whose condition is not
met is not asked for, and learned from those trials only that have it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces import Point, Space, canonical
from study.searches.coordinates import distributions, from_coordinates, to_coordinates
from study.searches.view import StageView, Tried

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
    finite = [t.value for t in view.tried if t.value is not None and t.value < math.inf]
    worst = max(finite, default=0.0) + _WORSE_BY
    ordered = sorted(view.tried, key=lambda tried: tried.trial)
    return [(tried, min(tried.value, worst)) for tried in ordered if tried.value is not None]


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
