"""Optuna's door: its TPE sampler held to the points of a recorded table.

It proposes in the unit cube, and gets the nearest point that it has not had yet: a table has no
others. What it learns from are the points that it got. One proposal after the other, each with all
values before it: a round of several would know less.

Shapes: N points, D coordinates.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from study.searches.optuna_rounds import finite

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# As many as TPE itself draws at random before it begins to model.
_RANDOM_FIRST = 10


def sequence(
    coordinates: FloatArray,
    n_categories: IntArray,
    keys: FloatArray,
    order: IntArray,
    *,
    n: int,
    seed: int,
) -> IntArray:
    """The first `n` points of a table that TPE tries, in order.

    Args:
        coordinates: ``[N, D]``; numbers in [0, 1], categories as 0, 1, 2 and so on.
        n_categories: ``[D]``; 0 for numbers.
        keys: ``[N]``, what each point comes to, lower is better; +inf for diverged ones.
        order: ``[N]``; the first ten are tried in this order, as TPE begins at random.
        n: From 1 to N.
        seed: Of the sampler.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known = [_distribution(int(n)) for n in n_categories]
    worth = finite(keys.tolist())
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    tried: list[int] = []
    left = np.ones(len(order), dtype=np.bool_)
    for first in order[:n]:
        at = int(first) if len(tried) < _RANDOM_FIRST else _asked(study, known, coordinates, left)
        left[at] = False
        tried.append(at)
        study.add_trial(_trial(known, coordinates[at], worth[at]))
    return np.array(tried)


def _asked(
    study: optuna.Study,
    known: list[BaseDistribution],
    coordinates: FloatArray,
    left: npt.NDArray[np.bool_],
) -> int:
    """The point that is left and nearest to what TPE proposes."""
    trial = study.ask({str(k): one for k, one in enumerate(known)})
    asked = np.array([trial.params[str(k)] for k in range(len(known))], dtype=np.float64)
    study.tell(trial, state=TrialState.FAIL)  # the point that it gets stands in its place
    is_category = np.array([isinstance(one, CategoricalDistribution) for one in known])
    return nearest(coordinates, asked, is_category, left)


def nearest(
    coordinates: FloatArray,
    asked: FloatArray,
    is_category: npt.NDArray[np.bool_],
    left: npt.NDArray[np.bool_],
) -> int:
    """The row of ``[N, D]`` nearest to a point ``[D]``, of those that are left ``[N]``.

    Categories are the same or not, which counts like the whole range of a number.
    """
    apart = np.where(is_category, coordinates != asked, coordinates - asked)
    distance = (apart**2).sum(axis=1)
    return int(np.argmin(np.where(left, distance, np.inf)))


def _distribution(n_categories: int) -> BaseDistribution:
    if n_categories:
        return CategoricalDistribution(range(n_categories))
    return FloatDistribution(0.0, 1.0)


def _trial(known: list[BaseDistribution], point: FloatArray, value: float) -> FrozenTrial:
    is_category = [isinstance(one, CategoricalDistribution) for one in known]
    params = {
        str(k): int(x) if category else float(x)
        for k, (x, category) in enumerate(zip(point, is_category, strict=True))
    }
    distributions = {str(k): one for k, one in enumerate(known)}
    return create_trial(params=params, distributions=distributions, value=value)
