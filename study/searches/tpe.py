"""Optuna's door: its TPE sampler as a pure function of the history.

The sampler sees points of the unit cube, which the space maps to values: a simplex of weights has
no Optuna distribution of its own. Every proposal gets a new sampler, seeded by its own address, and
a study rebuilt in memory: asked whenever a worker was free, TPE proposed other points every time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b

import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces import Point, Space, Value, canonical
from study.searches.view import StageView, Tried

# TPE wants finite values; a diverged trial is worse than all others.
_WORSE_BY = 1.0
_ATTEMPTS = 10


def distributions(space: Space) -> dict[str, FloatDistribution]:
    """One coordinate of the unit cube for each dimension of each axis, ``name.0``, ``name.1``."""
    return {
        f"{name}.{k}": FloatDistribution(0.0, 1.0)
        for name, axis in space.axes.items()
        for k in range(axis.dimensions)
    }


def next_round(view: StageView, *, n: int) -> list[Point]:
    """Propose up to `n` new points; those of this round enter as running for the ones after.

    Fewer where a finite space has no more points.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = view.stage.space
    finished = [_finished(space, tried.point, value) for tried, value in _valued(view)]
    running: list[FrozenTrial] = []
    points: list[Point] = []
    known = {canonical(view.base | tried.point) for tried in view.tried}
    for number in range(len(view.tried), len(view.tried) + n):
        for attempt in range(_ATTEMPTS):
            address = f"{view.address}/{number}/{attempt}"
            unit = _ask(space, [*finished, *running], address=address)
            point = _point(space, unit)
            if canonical(view.base | point) not in known:
                break
        else:
            break  # a finite space is (nearly) used up
        known.add(canonical(view.base | point))
        points.append(point)
        running.append(
            create_trial(
                state=TrialState.RUNNING, params=unit, distributions=dict(distributions(space))
            )
        )
    return points


def _ask(space: Space, trials: Sequence[FrozenTrial], *, address: str) -> dict[str, float]:
    seed = int.from_bytes(blake2b(address.encode(), digest_size=4).digest(), "big")
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(sampler=sampler, direction="minimize")
    study.add_trials(trials)
    trial = study.ask(dict(distributions(space)))
    return dict(trial.params)


def _valued(view: StageView) -> list[tuple[Tried, float]]:
    finite = [t.value for t in view.tried if t.value is not None and t.value < math.inf]
    worst = max(finite, default=0.0) + _WORSE_BY
    ordered = sorted(view.tried, key=lambda tried: tried.trial)
    return [(tried, min(tried.value, worst)) for tried in ordered if tried.value is not None]


def _finished(space: Space, point: Point, value: float) -> FrozenTrial:
    unit = {
        f"{name}.{k}": coordinate
        for name, axis in space.axes.items()
        for k, coordinate in enumerate(axis.to_unit(point[name]))
    }
    return create_trial(params=unit, distributions=dict(distributions(space)), value=value)


def _point(space: Space, unit: dict[str, float]) -> Point:
    point: dict[str, Value] = {}
    for name, axis in space.axes.items():
        point[name] = axis.from_unit([unit[f"{name}.{k}"] for k in range(axis.dimensions)])
    return point
