"""Optuna's door: finished trials go into an Optuna database as they come, each once.

Which ones are there is read off the database itself, from an attribute that is written in the same
transaction as its trial: whoever is killed in between has written it or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import RDBStorage

from storage import without_password
from study.errors import ExportRefused, MirrorFailed
from study.searches.optuna_export import OptunaStudy, OptunaTrial, frozen, made, opened
from study.searches.optuna_params import Scalar, distributions, flat, typed

_NUMBER = "trial"
"""Attribute of a trial: its number in our search."""
_OF = "mirror_of"
"""Attribute of a study: the study that it mirrors, as its birth tells it from all others."""


@dataclass
class _There:
    """What an Optuna study holds: our numbers of its trials, and each parameter's distribution."""

    numbers: set[object] = field(default_factory=set)
    distributions: dict[str, BaseDistribution] = field(default_factory=dict)


class OptunaMirror:
    """Writes trials of one study into an Optuna database.

    Args:
        birth: Tells the study from others of its name.
    """

    def __init__(self, url: str, birth: str) -> None:
        self._url, self._birth = url, birth
        self._there: dict[str, _There] = {}

    def lacks(self, study: str, number: int) -> bool:
        """Whether a trial was not seen there yet."""
        return study not in self._there or number not in self._there[study].numbers

    def write(self, studies: Sequence[OptunaStudy]) -> int:
        """Add those finished trials that are not there; returns how many.

        Raises:
            MirrorFailed: The database cannot be written, or has another study of such a name.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            with opened(self._url) as storage:
                return sum(self._write(storage, study) for study in studies)
        except MirrorFailed:
            raise
        except ExportRefused as error:
            raise MirrorFailed(str(error)) from error
        except Exception as error:  # Optuna passes on whatever SQLAlchemy and the driver raise
            self._there.clear()  # what was half done is looked up anew
            reason = without_password(str(error).splitlines()[0] if str(error) else "no reason")
            raise MirrorFailed(
                f"{without_password(self._url)}: {type(error).__name__}: {reason}."
            ) from error

    def _write(self, storage: RDBStorage, study: OptunaStudy) -> int:
        mirror = self._study(storage, study)
        if study.name not in self._there:
            self._there[study.name] = _read(mirror)
        there = self._there[study.name]
        new = [trial for trial in study.trials if trial.attrs[_NUMBER] not in there.numbers]
        for trial in new:
            mirror.add_trial(_fitting(trial, study, there.distributions))
            there.numbers.add(trial.attrs[_NUMBER])
        return len(new)

    def _study(self, storage: RDBStorage, study: OptunaStudy) -> optuna.Study:
        names = set(optuna.study.get_all_study_names(storage=storage))
        if study.name not in names:
            mirror = made(storage, study)
            self._there.pop(study.name, None)  # whoever deleted it has deleted all that was there
            mirror.set_user_attr(_OF, self._birth)
            return mirror
        mirror = optuna.load_study(study_name=study.name, storage=storage)
        of = mirror.user_attrs.get(_OF)
        if of is None and not mirror.get_trials(deepcopy=False):
            mirror.set_user_attr(_OF, self._birth)  # killed after it was made
        elif of != self._birth:
            raise MirrorFailed(
                f"{without_password(self._url)} has an Optuna study {study.name} that is no mirror "
                "of this study. Name another database, or delete that study there."
            )
        return mirror


def _read(mirror: optuna.Study) -> _There:
    found = _There()
    for trial in mirror.get_trials(deepcopy=False):
        found.numbers.add(trial.user_attrs.get(_NUMBER))
        found.distributions |= trial.distributions
    return found


def _fitting(
    trial: OptunaTrial, study: OptunaStudy, standing: dict[str, BaseDistribution]
) -> optuna.trial.FrozenTrial:
    """A trial as Optuna takes it beside those that are there; its point is an attribute, too."""
    point = flat(trial.params, study.tasks)
    known = distributions([point], study.axes)
    fitted = {name: _fitted(known[name], standing.get(name), point[name]) for name in point}
    kept = {name: of for name, of in fitted.items() if of is not None}
    standing |= kept
    return frozen(
        trial,
        typed({name: point[name] for name in kept}, kept),
        kept,
        several=len(study.directions) > 1,
    )


def _fitted(
    new: BaseDistribution, old: BaseDistribution | None, value: Scalar
) -> BaseDistribution | None:
    """The new one in the kind of the old one; None if the old one cannot hold the value."""
    if old is None or new == old:
        return new
    if isinstance(old, CategoricalDistribution):
        return old if value in old.choices else None
    if isinstance(new, CategoricalDistribution) or not isinstance(
        new, FloatDistribution | IntDistribution
    ):
        return None
    if isinstance(old, IntDistribution):
        whole = isinstance(new, IntDistribution) and (new.low >= 1 or not old.log)
        return IntDistribution(int(new.low), int(new.high), log=old.log) if whole else None
    log = isinstance(old, FloatDistribution) and old.log
    return None if log and new.low <= 0 else FloatDistribution(new.low, new.high, log=log)
