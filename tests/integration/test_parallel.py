"""A study whose runs are trained by two processes each, one of which is killed under way."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from storage import RunState
from tests import toy
from tests.integration import comparable
from tests.integration.command import shared_fork_server_pid
from tests.integration.driving import (
    DEADLINE_S,
    complete,
    descendants,
    start,
    states,
    wait_for_done_runs,
    wait_for_runs,
)

STUDY = "parallel"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0]
[training]
epochs = 60
batch_size = 6
checkpoint_s = 0.1
engine = "solo"
[baseline.metrics]
level = {{ error = 1.0 }}
kind = {{ error = 1.0 }}
flag = {{ error = 1.0 }}
[[search]]
weighting = "uw"
stages = [{{ lr = [3e-3, 1e-2] }}]
"""
N_RUNS = 2
SUFFICES = 1e-3
"""Relative difference of losses in single precision, after so many steps."""


def test_a_group_that_loses_a_process_ends_with_the_results_of_one(tmp_path: Path) -> None:
    shutil.copy(toy.__file__, tmp_path / "toy.py")
    alone, together = tmp_path / "alone.toml", tmp_path / "together.toml"
    alone.write_text(SPEC)
    together.write_text(SPEC.replace("[training]", "[training]\ndata_parallel = 2"))
    by_one, by_two = (f"sqlite:///{tmp_path / name}" for name in ("one.db", "two.db"))
    complete(alone, by_one)

    driver = start(together, by_two, workers=1)
    wait_for_runs(by_two, STUDY, RunState.LEASED, 1)
    _forker, leader, follower = descendants(shared_fork_server_pid())
    wait_for_done_runs(by_two, STUDY, 1)
    os.kill(follower, signal.SIGKILL)
    assert driver.wait(DEADLINE_S) == 0

    assert states(by_two, STUDY) == {RunState.DONE: N_RUNS}
    assert comparable.losses(by_two, STUDY) == {"WorkerLost"}
    assert not Path(f"/proc/{leader}").exists(), "a leader outlives its group"
    assert losses(by_two) == pytest.approx(losses(by_one), rel=SUFFICES, abs=SUFFICES)


def losses(url: str) -> dict[object, float]:
    """Training and validation losses by run and epoch."""
    return {
        tuple(row[:-1]): float(str(row[-1]))
        for row in comparable.epochs(url, STUDY)
        if "loss" in row
    }
