"""Searches in an Optuna database, read back by Optuna."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from search_spaces import LogRange
from study.errors import ExportRefused
from study.searches.optuna_export import OptunaStudy, OptunaTrial, write

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DONE = OptunaTrial(
    params={"lr": 0.01, "task_weights": (0.25, 0.75)},
    state="done",
    value=-3.5,
    curve={1: 2.0, 2: -3.5},
    started=NOON,
    ended=NOON + timedelta(seconds=90),
    attrs={"seeds": [0, 1], "device_s": 12.5},
)
STUDY = OptunaStudy(
    name="demo/scalarization",
    directions=["minimize"],
    names=["value"],
    axes={"lr": [LogRange(1e-4, 1.0)]},
    tasks=("left", "right"),
    trials=[DONE],
    attrs={"weighting": "scalarization"},
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'trials.db'}"


def read(url: str, name: str = STUDY.name) -> list[FrozenTrial]:
    return optuna.load_study(study_name=name, storage=url).trials


def written(url: str, trial: OptunaTrial) -> FrozenTrial:
    write(url, [replace(STUDY, trials=[trial])], overwrite=False)
    (found,) = read(url)
    return found


def test_a_trial_comes_back_whole(url: str) -> None:
    trial = written(url, DONE)
    assert (trial.number, trial.state, trial.value) == (0, TrialState.COMPLETE, -3.5)
    assert trial.params == {"lr": 0.01, "w_left": 0.25, "w_right": 0.75}
    assert trial.distributions["lr"] == FloatDistribution(1e-4, 1.0, log=True)
    assert trial.intermediate_values == {1: 2.0, 2: -3.5}
    assert trial.user_attrs == {"seeds": [0, 1], "device_s": 12.5}
    assert trial.duration == timedelta(seconds=90)
    assert trial.datetime_start is not None
    assert trial.datetime_start.astimezone(UTC) == NOON


def test_a_study_says_what_it_is(url: str) -> None:
    write(url, [replace(STUDY, directions=["maximize"])], overwrite=False)
    study = optuna.load_study(study_name=STUDY.name, storage=url)
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
    assert study.user_attrs == {"weighting": "scalarization"}


def test_trials_without_a_value_keep_their_states(url: str) -> None:
    known = {
        "diverged": TrialState.FAIL,
        "failed": TrialState.FAIL,
        "running": TrialState.RUNNING,
        "waiting": TrialState.WAITING,
        "done": TrialState.RUNNING,
    }
    trials = [replace(DONE, state=state, value=None) for state in known]
    write(url, [replace(STUDY, trials=trials)], overwrite=False)
    found = read(url)
    assert [(trial.state, trial.value) for trial in found] == [(of, None) for of in known.values()]


def test_a_pruned_trial_is_worth_what_it_was_worth_last(url: str) -> None:
    trial = written(url, replace(DONE, state="pruned", value=None, curve={1: 4.0, 2: 3.0}))
    assert (trial.state, trial.value) == (TrialState.PRUNED, 3.0)


def test_a_trial_that_was_never_begun_can_fail(url: str) -> None:
    lost = replace(DONE, state="failed", value=None, curve={}, started=None, ended=None)
    assert written(url, lost).state is TrialState.FAIL


class TestTwice:
    def test_an_export_does_not_change_a_study(self, url: str) -> None:
        write(url, [STUDY], overwrite=False)
        with pytest.raises(ExportRefused, match=r"has demo/scalarization\. .*--overwrite"):
            write(url, [replace(STUDY, name="demo/ew"), STUDY], overwrite=False)
        assert optuna.study.get_all_study_names(storage=url) == [STUDY.name], "nothing is begun"

    def test_overwriting_replaces_those_of_the_same_name_only(self, url: str) -> None:
        optuna.create_study(study_name="mine", storage=url)
        write(url, [STUDY], overwrite=False)
        write(url, [replace(STUDY, trials=[DONE, DONE])], overwrite=True)
        assert len(read(url)) == 2
        assert optuna.study.get_all_study_names(storage=url) == ["mine", STUDY.name]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("sqlite:////no/such/folder/x.db", "unable to open database file.*folder that exists"),
        ("nonsense://x", "Optuna cannot open nonsense://x"),
        ("nonsense://me:secret@x", r"cannot open nonsense://me:\*\*\*@x"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(bad: str, why: str) -> None:
    with pytest.raises(ExportRefused, match=why):
        write(bad, [STUDY], overwrite=False)


def test_a_study_can_go_on_in_optuna(url: str) -> None:
    write(url, [STUDY], overwrite=False)
    study = optuna.load_study(study_name=STUDY.name, storage=url)
    assert study.best_params == {"lr": 0.01, "w_left": 0.25, "w_right": 0.75}
    asked = study.ask(dict(study.best_trial.distributions))
    assert set(asked.params) == set(study.best_params)


def test_several_objectives_are_several_values(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'several.db'}"
    rows = [replace(DONE, value=value, others=(-value,)) for value in (1.0, 2.0)]
    lost = replace(DONE, state="diverged", value=None, curve={1: 3.0})
    study = replace(
        STUDY, directions=["minimize", "maximize"], names=["loss", "size"], trials=[*rows, lost]
    )
    write(url, [study], overwrite=False)
    found = optuna.load_study(study_name=STUDY.name, storage=url)
    assert found.metric_names == ["loss", "size"]
    assert [trial.values for trial in found.trials] == [[1.0, -1.0], [2.0, -2.0], None]
    assert [trial.number for trial in found.best_trials] == [0]
    assert {len(trial.intermediate_values) for trial in found.trials} == {0}
