"""Trials that go into an Optuna database as they come: each once, whatever happens to either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from study.errors import MirrorFailed
from study.searches.optuna_export import OptunaStudy, OptunaTrial, write
from study.searches.optuna_mirror import OptunaMirror
from tests.unit.study.test_optuna_export import DONE, STUDY


def numbered(*numbers: int) -> list[OptunaTrial]:
    return [
        replace(DONE, value=float(n), params={"lr": 10.0**-n}, attrs={"trial": n}) for n in numbers
    ]


def study(*numbers: int) -> OptunaStudy:
    return replace(STUDY, trials=numbered(*numbers))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'live.db'}"


def there(url: str) -> list[int]:
    found = optuna.load_study(study_name=STUDY.name, storage=url)
    return [trial.user_attrs["trial"] for trial in found.trials]


def test_what_ends_is_added_once(url: str) -> None:
    mirror = OptunaMirror(url, "birth")
    assert [mirror.write([study(*ended)]) for ended in ([2], [2, 1], [2, 1], [2, 1, 3])] == [
        *(1, 1, 0, 1)
    ]
    assert there(url) == [2, 1, 3]


def test_one_that_is_killed_is_gone_on_with(url: str) -> None:
    OptunaMirror(url, "birth").write([study(1, 2)])
    assert OptunaMirror(url, "birth").write([study(1, 2, 3)]) == 1
    assert there(url) == [1, 2, 3]


def test_one_that_somebody_deleted_is_made_anew_with_all(url: str) -> None:
    mirror = OptunaMirror(url, "birth")
    mirror.write([study(1, 2)])
    optuna.delete_study(study_name=STUDY.name, storage=url)
    assert mirror.write([study(1, 2, 3)]) == 3
    assert there(url) == [1, 2, 3]


def test_one_that_was_killed_before_its_first_trial_is_gone_on_with(url: str) -> None:
    write(url, [study()], overwrite=False)
    assert OptunaMirror(url, "birth").write([study(1)]) == 1


def test_a_study_of_others_is_left_alone(url: str) -> None:
    write(url, [study(1)], overwrite=False)
    with pytest.raises(MirrorFailed, match="no mirror of this study"):
        OptunaMirror(url, "birth").write([study(1, 2)])
    assert there(url) == [1]


def test_another_study_of_the_same_name_is_left_alone(url: str) -> None:
    OptunaMirror(url, "birth").write([study(1)])
    with pytest.raises(MirrorFailed, match="Name another database"):
        OptunaMirror(url, "another").write([study(1, 2)])


def test_it_catches_up_when_the_database_is_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'away' / 'live.db'}"
    mirror = OptunaMirror(url, "birth")
    with pytest.raises(MirrorFailed, match="cannot open"):
        mirror.write([study(1)])
    (tmp_path / "away").mkdir()
    assert mirror.write([study(1, 2)]) == 2


def test_what_optuna_refuses_is_said(url: str) -> None:
    mirror = OptunaMirror(url, "birth")
    mirror.write([study(1)])
    two_values = [replace(one, others=(1.0,)) for one in numbered(2)]
    with pytest.raises(MirrorFailed, match="ValueError: "):
        mirror.write([replace(STUDY, trials=two_values)])
    assert mirror.write([study(1, 2)]) == 1, "goes on with what can be written"


def test_a_parameter_keeps_the_kind_that_it_began_with(url: str) -> None:
    mirror = OptunaMirror(url, "birth")
    odd = [
        replace(DONE, params={"x": value, "lr": 0.1}, attrs={"trial": n})
        for n, value in enumerate([0.0, 5.0, "text"])
    ]
    for n in range(3):
        mirror.write([replace(STUDY, axes={}, trials=odd[: n + 1])])
    found = optuna.load_study(study_name=STUDY.name, storage=url).trials
    assert [trial.params.get("x") for trial in found] == [0.0, 5.0, None]
    assert isinstance(found[1].distributions["x"], FloatDistribution)
    assert all(trial.params["lr"] == 0.1 for trial in found)


def test_several_objectives_are_several_values(url: str) -> None:
    trials = [replace(one, others=(1.0,)) for one in numbered(1, 2)]
    both = replace(STUDY, directions=["minimize"] * 2, names=["a", "b"], trials=trials)
    OptunaMirror(url, "birth").write([both])
    found = optuna.load_study(study_name=STUDY.name, storage=url)
    assert [trial.values for trial in found.trials] == [[1.0, 1.0], [2.0, 1.0]]
    assert {trial.state for trial in found.trials} == {TrialState.COMPLETE}
