"""Optuna's door: which parameters matter, by its estimators on trials that are no full grid."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

import optuna
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)
from optuna.trial import create_trial

from study.searches.optuna_params import Scalar, distributions, typed

# The best tenth of trials, and five of them at least, below which its densities say nothing.
_BEST_SHARE, _FEWEST_BEST = 0.1, 5
# Of more trials a report would wait for seconds a seed.
_MOST_OF_TREES, _MOST_OF_DENSITIES = 100, 2_000


def importances(
    points: Sequence[Mapping[str, Scalar]], values: Sequence[float]
) -> dict[str, dict[str, float]]:
    """Each estimator's shares by parameter, which sum to 1; without those that cannot work here.

    fANOVA needs scikit-learn, and is left out where it is not installed, and of more than a hundred
    trials; PED-ANOVA of more than 2,000.

    Args:
        points: Flat points with the same parameters.
        values: What each came to, finite and not all equal; lower is better.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known = distributions(points, {})
    study = optuna.create_study()
    study.add_trials(
        [
            create_trial(params=typed(point, known), distributions=dict(known), value=value)
            for point, value in zip(points, values, strict=True)
        ]
    )
    n_trials = len(values)
    best = min(1.0, max(_BEST_SHARE, _FEWEST_BEST / n_trials))
    estimators: dict[str, BaseImportanceEvaluator] = {}
    if n_trials <= _MOST_OF_DENSITIES:
        estimators["PED-ANOVA"] = PedAnovaImportanceEvaluator(target_quantile=best)
    if n_trials <= _MOST_OF_TREES and find_spec("sklearn"):
        estimators["fANOVA"] = FanovaImportanceEvaluator(seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of trials that are all alike, which has its own answer
        return {
            name: {param: float(share) for param, share in shares.items()}
            for name, one in estimators.items()
            if (shares := get_param_importances(study, evaluator=one))
        }
