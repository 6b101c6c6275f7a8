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
from study.searches.optuna_names import optuna_class, refuse_unknown

TPE: Final = "TPESampler"
_SEED: Final = "seed"
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
    allowed = [key for key in inspect.signature(made).parameters if key != _SEED]
    if _SEED in options:
        raise BadSpec(
            f"A study's seed and the number of a proposal seed {name}: `seed` is no option. "
            "Drop it; `seeds` of the study says what is drawn."
        )
    refuse_unknown(name, options, allowed)
    try:
        with warnings.catch_warnings():
            # Optuna says of some options that they may change: the version is in the lock file
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)
            sampler: BaseSampler = made(**options, seed=seed)
    except ImportError as error:
        raise BadSpec(
            f"{name} needs a package that is not installed here: {error} "
            "Install the extra: pip install 'weighbridge[samplers]'"
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BadSpec(f"{name} does not take these options: {error} Change them.") from error
    return sampler


def refuse_single(sampler: BaseSampler, *, n_objectives: int) -> None:
    """Refuse a sampler of one objective for several.

    Raises:
        BadSpec: It says itself that it cannot be used.
    """
    if n_objectives == 1:
        return
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["minimize"] * n_objectives, sampler=sampler)
    try:
        for _ in range(2):  # with a trial to learn from, it looks at the study
            trial = study.ask()
            trial.suggest_float("x", 0.0, 1.0)
            study.tell(trial, [0.0] * n_objectives)
    except ValueError as error:
        raise BadSpec(
            f"This sampler takes one objective. Got {n_objectives}: {error} "
            "Take NSGAIISampler, TPESampler or GPSampler, or name one objective."
        ) from error
