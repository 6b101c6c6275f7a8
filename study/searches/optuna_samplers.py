"""Optuna's door: its samplers by name, with the options that a spec gives them.

A sampler is made anew for every proposal, from a seed that is the proposal's address.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any, Final

import optuna
from optuna.samplers import BaseSampler

from study.errors import BadSpec
from study.searches.optuna_names import optuna_class, refuse_unfit, said_by

TPE: Final = "TPESampler"
_SEED: Final = "seed"
_SLOW: Final = "GPSampler"
_MOST_ASKED: Final = 300
_ELSEWHERE: Final[Mapping[str, str]] = {
    "BaseSampler": "it is no sampler by itself",
    "BaseGASampler": "it is no sampler by itself",
    "GridSampler": 'all points of a space are `strategy = "grid"`',
    "BruteForceSampler": 'all points of a space are `strategy = "grid"`',
    "PartialFixedSampler": "what a stage fixes stands in its `at`",
}
_BY_VALUES: Final = frozenset({TPE, "GPSampler", "RandomSampler"})
"""Samplers that learn from points and values alone; others mark the trials they propose."""


def learns_from_values(name: str) -> bool:
    """Whether points and values are all that a sampler must be told of the past."""
    return name in _BY_VALUES


def sampler_of(name: str, options: Mapping[str, Any], seed: int) -> BaseSampler:
    """A sampler of Optuna.

    Raises:
        BadSpec: There is none of that name, or it does not take these options.
    """
    made = optuna_class("sampler", name, _ELSEWHERE)
    known = {k: p for k, p in inspect.signature(made).parameters.items() if k != _SEED}
    if _SEED in options:
        raise BadSpec(
            f"A study's seed and the number of a proposal seed {name}: `seed` is no option. "
            "Drop it; `seeds` of the study says what is drawn."
        )
    refuse_unfit(name, options, known)
    try:
        with warnings.catch_warnings():
            # Optuna says of some options that they may change: the version is in the lock file
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)
            sampler: BaseSampler = made(**options, seed=seed)
    except ImportError as error:
        raise _lacking(name, error) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BadSpec(
            f"{name} does not take these options: {said_by(error)} Change them."
        ) from error
    return sampler


def refuse_unusable(name: str, options: Mapping[str, Any], *, n_objectives: int) -> None:
    """Ask a sampler for points of a made-up study, until it has learned from trials.

    Raises:
        BadSpec: It cannot be made, fails, or is one of a single objective and there are several.
    """
    sampler = sampler_of(name, options, seed=0)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["minimize"] * n_objectives, sampler=sampler)
    try:
        for number in range(_n_asked(name, sampler)):
            trial = study.ask()
            trial.suggest_float("x", 0.0, 1.0)
            study.tell(trial, [float(number)] * n_objectives)
    except ImportError as error:
        raise _lacking(name, error) from error
    except Exception as error:  # whatever becomes of options that nothing has checked
        if n_objectives > 1 and "multi-objective" in str(error):
            raise BadSpec(
                f"This sampler takes one objective. Got {n_objectives}: {said_by(error)} "
                "Take NSGAIISampler, TPESampler or GPSampler, or name one objective."
            ) from error
        raise BadSpec(f"{name} fails with these options: {said_by(error)} Change them.") from error


def _n_asked(name: str, sampler: BaseSampler) -> int:
    """Trials after which a sampler draws no more by chance; a few of one that loads torch then."""
    if name == _SLOW:
        return 2
    begins = [getattr(sampler, key, 0) for key in ("_n_startup_trials", "_population_size")]
    return min(2 + max(begins), _MOST_ASKED)


def _lacking(name: str, error: ImportError) -> BadSpec:
    return BadSpec(
        f"{name} needs a package that is not installed here: {said_by(error)} "
        "Install the extra: pip install 'weighbridge[samplers]'"
    )
