"""Optuna's door: searches as studies of an Optuna database, for optuna-dashboard and its plots."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from search_spaces import Axis, Point
from storage import without_password
from study.errors import ExportRefused
from study.searches.optuna_params import Scalar, distributions, flat, typed

_STATES = {
    "done": TrialState.COMPLETE,
    "diverged": TrialState.FAIL,
    "failed": TrialState.FAIL,
    "pruned": TrialState.PRUNED,
    "waiting": TrialState.WAITING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptunaTrial:
    """One trial to be written.

    Attributes:
        state: As in the study database; ``done`` without a value is running still.
        others: Values by objectives beside the first.
        curve: Epoch to value.
        attrs: User attributes, JSON-ready.
    """

    params: Point
    state: str
    value: float | None
    curve: Mapping[int, float]
    started: datetime | None
    ended: datetime | None
    attrs: Mapping[str, object]
    others: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptunaStudy:
    """One Optuna study to be written.

    Attributes:
        directions: One an objective.
        names: Of the objectives.
        axes: What the search may try, by parameter; one for each stage that tunes it.
        tasks: Names of the numbers of a row of task weights.
        attrs: User attributes, JSON-ready.
    """

    name: str
    directions: Sequence[Literal["minimize", "maximize"]]
    names: Sequence[str]
    axes: Mapping[str, Sequence[Axis]]
    tasks: Sequence[str]
    trials: Sequence[OptunaTrial]
    attrs: Mapping[str, object]


def write(url: str, studies: Sequence[OptunaStudy], *, overwrite: bool) -> None:
    """Write studies into an Optuna database, which is made if there is none.

    Optuna stores about 20 trials of 20 epochs a second.

    Args:
        overwrite: Replace studies of the same names; others in the database stay as they are.

    Raises:
        ExportRefused: The database cannot be used, or has a study of such a name already.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with opened(url) as storage:
        there = set(optuna.study.get_all_study_names(storage=storage))
        twins = [study.name for study in studies if study.name in there]
        if twins and not overwrite:
            raise ExportRefused(
                f"An export does not change Optuna studies. {without_password(url)} already has "
                f"{', '.join(twins)}. Name another database, or replace them with --overwrite."
            )
        for name in twins:
            optuna.delete_study(study_name=name, storage=storage)
        for study in studies:
            _write(storage, study)


@contextmanager
def opened(url: str) -> Iterator[RDBStorage]:
    """An Optuna database, which is made if there is none.

    Raises:
        ExportRefused: It cannot be opened.
    """
    try:
        storage = RDBStorage(url)
    except Exception as error:  # Optuna passes on whatever SQLAlchemy and the driver raise
        reason = str(error).splitlines()[0]
        raise ExportRefused(
            f"Optuna cannot open {without_password(url)}: {type(error).__name__}: "
            f"{without_password(reason)}. Name a database such as optuna:sqlite:///trials.db, in a "
            "folder that exists."
        ) from None
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _write(storage: RDBStorage, study: OptunaStudy) -> None:
    written = made(storage, study)
    points = [flat(trial.params, study.tasks) for trial in study.trials]
    known = distributions(points, study.axes)
    for point, trial in zip(points, study.trials, strict=True):
        written.add_trial(
            frozen(trial, typed(point, known), known, several=len(study.directions) > 1)
        )


def made(storage: RDBStorage, study: OptunaStudy) -> optuna.Study:
    """A new Optuna study without trials."""
    new = optuna.create_study(
        storage=storage, study_name=study.name, directions=[*study.directions]
    )
    if len(study.names) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            new.set_metric_names([*study.names])
    for key, value in study.attrs.items():
        new.set_user_attr(key, value)
    return new


def frozen(
    trial: OptunaTrial,
    params: Mapping[str, Scalar],
    known: Mapping[str, optuna.distributions.BaseDistribution],
    *,
    several: bool = False,
) -> FrozenTrial:
    """A trial as Optuna has it.

    Args:
        several: Its study has several objectives, so that Optuna has no intermediate values.
    """
    state = _STATES.get(trial.state, TrialState.RUNNING)
    if state is TrialState.COMPLETE and trial.value is None:
        state = TrialState.RUNNING
    value = trial.value
    if state is TrialState.PRUNED and trial.curve:
        value = trial.curve[max(trial.curve)]  # what Optuna itself takes for a pruned trial
    started = _local(trial.started or trial.ended or datetime.now(UTC))
    ended = _local(trial.ended) if trial.ended else started
    return FrozenTrial(
        number=-1,  # Optuna counts
        trial_id=-1,
        state=state,
        value=None,
        values=None if value is None else [value, *trial.others],
        datetime_start=None if state is TrialState.WAITING else started,
        datetime_complete=ended if state.is_finished() else None,
        params=dict(params),
        distributions={name: known[name] for name in params},
        user_attrs=dict(trial.attrs),
        system_attrs={},
        intermediate_values={} if several else dict(trial.curve),
    )


def _local(moment: datetime) -> datetime:
    """Optuna's trials have local times without a zone."""
    return moment.astimezone().replace(tzinfo=None)
