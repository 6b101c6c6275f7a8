"""Optuna's door: which trials its pruners end at a rung, as a pure function of the history.

A study is rebuilt in memory for every verdict. It is told what one worker would have told it that
trains the trials one after another: values of all epochs, a question at each rung, the end. So a
pruner that marks trials by the questions it was asked, as successive halving does, finds its marks.

Shapes: E epochs.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from study.errors import BadSpec
from study.searches.optuna_names import optuna_class, refuse_unfit, said_by
from study.spec.stopping import OptunaPruner

_ELSEWHERE: Final[Mapping[str, str]] = {
    "BasePruner": "it is no pruner by itself",
    "NopPruner": "it ends no trial. Leave `stop` out",
    "WilcoxonPruner": "it compares trials by independent problems that they were tried on, and "
    "epochs of one training are not independent",
}
_BY_VALUES: Final = frozenset({"MedianPruner", "PercentilePruner", "ThresholdPruner"})
"""Pruners to which past trials are values alone; others may mark them as they are asked."""
_WRAPPED: Final = "wrapped_pruner"
_NAME: Final = "optuna"
_N_ASKED: Final = 8  # more than the trials that pruners leave alone by default
_STUDY: Final = "trials"
"""Hyperband deals trials to its brackets by the study's name."""

Fate = Literal["keep", "prune", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """What a trial has come to.

    Attributes:
        values: ``[E]`` of its epochs so far, on the objective's own scale.
        fate: What became of it at the last rung that `values` reach: it went on (or is done), was
            pruned there, or is lost to a failure or a divergence; None where that is asked now.
    """

    trial: int
    values: Sequence[float]
    fate: Fate | None


def pruned_by(
    rule: OptunaPruner, climbs: Sequence[Climb], *, rungs: Sequence[int], lower: bool
) -> frozenset[int]:
    """Trials that a pruner ends, of those whose fate is asked.

    Trials are told in the order of their numbers, and those that go on count as complete for the
    ones after: so no verdict hangs on who was faster, and the first trials are what later ones are
    compared with.

    Args:
        rungs: Epochs at which the pruner is asked.
        lower: Whether lower values are better.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=_STUDY,
        direction="minimize" if lower else "maximize",
        sampler=RandomSampler(seed=0),
        pruner=pruner_of(rule.optuna, rule.options),
    )
    gone = set()
    for climb in sorted(climbs, key=lambda climb: climb.trial):
        if climb.fate is not None and rule.optuna in _BY_VALUES:
            study.add_trial(_ended(climb, climb.fate))
            continue
        trial, says = study.ask(), False
        for epoch, value in enumerate(climb.values, start=1):
            trial.report(value, epoch)
            if epoch in rungs:
                says = trial.should_prune()
        fate = climb.fate or ("prune" if says else "keep")
        if climb.fate is None and fate == "prune":
            gone.add(climb.trial)
        ended = _ended(climb, fate)
        study.tell(trial, ended.value, state=ended.state)
    return frozenset(gone)


def refuse_unusable(rule: OptunaPruner, *, rungs: Sequence[int]) -> None:
    """Ask a pruner about made-up trials.

    Raises:
        BadSpec: It cannot be made, or fails.
    """
    pruner_of(rule.optuna, rule.options)
    values = [float(epoch) for epoch in range(max(rungs))]
    climbs = [Climb(trial=trial, values=values, fate=None) for trial in range(_N_ASKED)]
    try:
        pruned_by(rule, climbs, rungs=rungs, lower=True)
    except Exception as error:  # whatever becomes of options that nothing has checked
        raise BadSpec(
            f"{rule.optuna} fails with these options: {said_by(error)} Change them."
        ) from error


def _ended(climb: Climb, fate: Fate) -> FrozenTrial:
    """A trial as Optuna has it once nothing more is asked of it."""
    reported = dict(enumerate(climb.values, start=1))
    if fate == "keep" and climb.values and not math.isnan(climb.values[-1]):
        state, value = TrialState.COMPLETE, climb.values[-1]
    else:
        state, value = TrialState.PRUNED if fate == "prune" else TrialState.FAIL, None
    return create_trial(state=state, value=value, intermediate_values=reported)


def pruner_of(name: str, options: Mapping[str, Any]) -> BasePruner:
    """A pruner of Optuna.

    Args:
        options: Its arguments; `wrapped_pruner` is a table of a name and options, too.

    Raises:
        BadSpec: There is none of that name, or it does not take these options.
    """
    made = optuna_class("pruner", name, _ELSEWHERE)
    known = inspect.signature(made).parameters
    wraps = _WRAPPED in known
    refuse_unfit(name, {k: v for k, v in options.items() if not wraps or k != _WRAPPED}, known)
    given = {key: _wrapped(key, value) for key, value in options.items()}
    if wraps:
        given.setdefault(_WRAPPED, None)  # patience alone
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruner: BasePruner = made(**given)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadSpec(
            f"{name} does not take these options: {said_by(error)} Change them."
        ) from error
    return pruner


def _wrapped(key: str, value: object) -> object:
    """An option as the pruner takes it."""
    if key != _WRAPPED:
        return value
    if not isinstance(value, Mapping) or not isinstance(value.get(_NAME), str):
        raise BadSpec(
            f"`{_WRAPPED}` names a pruner of Optuna. Got {value!r}. "
            f'Write a table, such as {{ {_NAME} = "MedianPruner" }}.'
        )
    return pruner_of(value[_NAME], {k: v for k, v in value.items() if k != _NAME})
