"""A mirror in PostgreSQL, as several machines have it: each trial once, whoever goes on."""

from __future__ import annotations

import optuna

from study.searches.optuna_export import opened
from study.searches.optuna_mirror import OptunaMirror
from tests.contract.storage_backends import postgres_schema
from tests.unit.study.test_optuna_export import STUDY
from tests.unit.study.test_optuna_mirror import study


def test_what_ends_is_added_once_by_whoever_goes_on() -> None:
    with postgres_schema() as url:
        assert OptunaMirror(url, "birth").write([study(2, 1)]) == 2
        later = OptunaMirror(url, "birth")
        assert [later.write([study(2, 1, 3)]), later.write([study(2, 1, 3)])] == [1, 0]
        with opened(url) as storage:
            found = optuna.load_study(study_name=STUDY.name, storage=storage)
            assert [trial.user_attrs["trial"] for trial in found.trials] == [2, 1, 3]
