"""A study that is interrupted and started again ends as one that ran through.

Kills are for `test_kills.py`.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from storage import RunState
from tests.integration import comparable
from tests.integration.command import command
from tests.integration.driving import DEADLINE_S, complete, start, states, wait_for_done_runs

pytestmark = pytest.mark.slow

STUDY = "resume"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 12
batch_size = 4
checkpoint_s = 0
[[search]]
weighting = ["rlw", "dwa", "uw"]
stages = [{{ lr = [3e-3, 1e-2] }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [3e-3, 1e-2] }}, {{ temperature = {{ line = [1, 10], refine = 1 }} }}]
"""


def test_an_interrupt_saves_and_releases(spec: Path, undisturbed: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    driver = start(spec, url, workers=2)
    wait_for_done_runs(url, STUDY, 3)
    driver.send_signal(signal.SIGINT)
    assert driver.wait(DEADLINE_S) == 130
    assert RunState.LEASED not in states(url, STUDY)
    complete(spec, url, workers=2)
    assert comparable.epochs(url, STUDY) == comparable.epochs(undisturbed, STUDY)
    assert not comparable.checkpoint_files(tmp_path), (
        "checkpoints of finished runs were left behind"
    )


def test_checkpoints_are_found_again_where_they_were_told_to_go(
    spec: Path, undisturbed: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    shared = tmp_path / "shared"
    there = ("--checkpoints", f"file://{shared}")
    saved: list[Path] = []
    for n_done in (3, 8, 13, 18, 23):  # workers may be between two packs, with nothing to save
        driver = start(spec, url, *there, workers=2)
        wait_for_done_runs(url, STUDY, n_done)
        driver.send_signal(signal.SIGINT)
        assert driver.wait(DEADLINE_S) == 130
        if saved := comparable.checkpoint_files(tmp_path):
            break
    assert saved and all(shared in path.parents for path in saved)
    complete(spec, url, *there, workers=2)
    assert comparable.epochs(url, STUDY) == comparable.epochs(undisturbed, STUDY)
    assert comparable.epochs_trained(url, STUDY) == comparable.epochs_trained(undisturbed, STUDY)
    assert not comparable.checkpoint_files(shared), "checkpoints of finished runs were left behind"


def test_a_place_that_cannot_be_opened_is_told_before_anything_starts(
    spec: Path, tmp_path: Path
) -> None:
    said = command(tmp_path, "run", str(spec), "--checkpoints", "nowhere://bucket")
    assert said.code == 2
    assert said.err.startswith("error --checkpoints is a folder, or a URL that fsspec opens.")
    assert not list(tmp_path.iterdir())


def test_finished_it_trains_nothing_again(spec: Path, undisturbed: str) -> None:
    before = comparable.attempts(undisturbed, STUDY)
    complete(spec, undisturbed)
    assert comparable.attempts(undisturbed, STUDY) == before
