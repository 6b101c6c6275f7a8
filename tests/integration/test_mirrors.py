"""``run --mirror``: an Optuna database that follows a study through kills and outages."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from storage import Storage
from study.cli._mirror import Follower
from tests.integration.command import DEADLINE_S, WARM, begun, command, ended
from tests.integration.test_functions import write
from tests.unit.study.fake_trainer import FakeStudy
from tests.unit.study.test_several_objectives import planned, torn

URL = "optuna:sqlite:///live.db"


def mirrored(folder: Path, name: str) -> list[optuna.trial.FrozenTrial]:
    storage = f"sqlite:///{folder / 'live.db'}"
    return optuna.load_study(study_name=name, storage=storage).trials


def n_there(folder: Path) -> int:
    """Trials that the mirror has, without a question to Optuna, which would make its tables."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'live.db'}?mode=ro", uri=True)) as found:
            (row,) = found.execute("SELECT COUNT(*) FROM trials").fetchall()
            return int(row[0])
    except sqlite3.OperationalError:
        return 0  # not there yet


@pytest.mark.slow
def test_a_mirror_has_each_trial_once_through_kill_and_resume(tmp_path: Path) -> None:
    write(tmp_path, "slow")
    words = ("run", "slow.toml", "--workers", "2", "--mirror", URL)
    with begun(tmp_path, *words, module=WARM) as process:
        deadline_s = time.monotonic() + DEADLINE_S
        while not n_there(tmp_path) and process.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        ended(process)
    for _ in range(2):
        assert command(tmp_path, *words).code == 0
    trials = mirrored(tmp_path, "slow/function")
    assert sorted(trial.user_attrs["trial"] for trial in trials) == [*range(6)]
    assert all(trial.user_attrs["seeds"] == [0, 1] for trial in trials)
    assert {len(trial.intermediate_values) for trial in trials} == {6}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///live.db", "A mirror is an Optuna database. Got 'sqlite:///live.db'. Write"),
        ("optuna:live.db", "is named by a URL"),
        ("optuna:sqlite:///:memory:", "A mirror is written into a file or a server"),
        ("optuna:sqlite:///weighbridge.db", "do not go into a study database"),
    ],
)
def test_what_is_no_mirror_is_refused_before_anything_runs(
    url: str, said: str, tmp_path: Path
) -> None:
    write(tmp_path, "train")
    found = command(tmp_path, "run", "train.toml", "--mirror", url)
    assert found.code != 0
    assert said in " ".join(found.err.split())
    assert not (tmp_path / "weighbridge.db").exists()


def test_a_mirror_that_cannot_be_written_says_so_once_and_catches_up(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 's.db'}"
    study = FakeStudy(planned(), Storage(database), level=torn)
    said: list[str] = []
    away = tmp_path / "away"
    url = f"sqlite:///{away / 'live.db'}"
    follower = Follower(study.record.name, storage=database, url=url, say=said.append)
    follower.look()
    study.run()
    follower.look()
    assert follower.behind
    (refusal,) = said
    assert "The mirror cannot be written: " in refusal
    assert refusal.endswith("The study goes on, and the mirror catches up.")
    away.mkdir()
    for _ in range(2):
        follower.look()
    assert not follower.behind
    assert said[1:] == ["The mirror is written again: it has caught up with 4 trials."]
    found = mirrored(away, f"{study.record.name}/ew")
    assert sorted(trial.user_attrs["trial"] for trial in found) == [0, 1, 2, 3]
    assert {len(trial.values) for trial in found} == {2}


def test_a_study_that_has_not_begun_is_waited_for(tmp_path: Path) -> None:
    database, said = f"sqlite:///{tmp_path / 's.db'}", list[str]()
    url = f"sqlite:///{tmp_path / 'live.db'}"
    follower = Follower("tried", storage=database, url=url, say=said.append)
    follower.look()
    FakeStudy(planned(), Storage(database), level=torn).run()
    follower.look()
    assert len(mirrored(tmp_path, "tried/ew")) == 4
    assert said == []
