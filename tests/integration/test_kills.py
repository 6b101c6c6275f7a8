"""Workers and drivers are killed again and again; the study ends as if nobody had.

`WEIGHBRIDGE_KILLS` sets how often; ``make soak`` kills 300 times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from storage import RunState
from tests.integration import comparable
from tests.integration.driving import DEADLINE_S, complete, descendants, start, states

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("WEIGHBRIDGE_KILLS", "3"))
STUDY = "kills"
SPEC = f"""
name = "{STUDY}"
problem = "digits"
seeds = [0, 1]
problem_options = {{ train_pairs = 200, validation_pairs = 50, test_pairs = 50, width = 16 }}
[training]
epochs = {6 * KILLS}
batch_size = 32
checkpoint_s = 0
[[search]]
weighting = ["rlw", "dwa"]
stages = [{{ lr = [3e-3, 1e-2] }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [3e-3, 1e-2] }}, {{ temperature = {{ line = [1, 10], refine = 1 }} }}]
"""
WORKER_SHARE = 0.7
"""Of the victims, after the first, which is the driver."""
LONGEST_LIFE_S = 0.8
"""Processor time of a worker after which it, or its driver, may be killed at any moment.

Its start takes about half, or more than all where many others share the processor: every second
kill comes while runs are in training, however long the start takes.
"""


def test_any_number_of_kills_changes_nothing(tmp_path: Path) -> None:
    spec = tmp_path / "kills.toml"
    spec.write_text(SPEC)
    undisturbed, killed = (f"sqlite:///{tmp_path / name}" for name in ("calm.db", "killed.db"))
    complete(spec, undisturbed, workers=2)
    assert sum(states(undisturbed, STUDY).values()) >= 24

    assert kill_at_random(spec, killed, random.Random(3)) >= KILLS

    assert comparable.results(killed, STUDY) == comparable.results(undisturbed, STUDY)
    assert comparable.epochs(killed, STUDY) == comparable.epochs(undisturbed, STUDY)
    assert comparable.decisions(killed, STUDY) == comparable.decisions(undisturbed, STUDY)
    assert comparable.networks(killed, STUDY) == comparable.networks(undisturbed, STUDY)
    attempts = comparable.attempts(killed, STUDY)
    assert "lost" in {state for _, state in attempts}
    finished = [run for run, state in attempts if state == "finished" and run is not None]
    assert len(finished) == len(set(finished)), "a run was completed twice"
    assert RunState.LEASED not in states(killed, STUDY)
    assert not comparable.checkpoint_files(tmp_path), (
        "checkpoints of finished runs were left behind"
    )


def kill_at_random(spec: Path, url: str, chance: random.Random) -> int:
    """Run the study to its end, killing until there have been enough; returns how many."""
    n_kills = 0
    while True:
        driver = start(spec, url, workers=2, module="study.cli")
        life_s = chance.uniform(0.0, LONGEST_LIFE_S)
        while n_kills < KILLS and driver.poll() is None:
            time.sleep(chance.uniform(0.05, 0.4))
            trains = n_kills % 2 == 1 or RunState.LEASED in found(url)
            if trains and kill_one(driver, chance, life_s, WORKER_SHARE if n_kills else 0.0):
                n_kills, life_s = n_kills + 1, chance.uniform(0.0, LONGEST_LIFE_S)
        if driver.wait(DEADLINE_S) != -signal.SIGKILL:
            assert driver.returncode == 0
            return n_kills


def found(url: str) -> dict[RunState, int]:
    """Runs by state; none before there is a database."""
    return states(url, STUDY) if Path(url.removeprefix("sqlite:///")).exists() else {}


def kill_one(
    driver: subprocess.Popen[bytes], chance: random.Random, life_s: float, worker_share: float
) -> bool:
    """Kill a worker that has worked so long, or its driver; returns whether any was."""
    workers = descendants(driver.pid)[1:]  # the first is the process they are forked from
    if not workers:
        return False  # still starting
    worker = chance.choice(workers)
    # by what it has done, not by time: on a busy machine no worker would ever get to work
    if processor_s(worker) < life_s:
        return False
    victim = worker if chance.random() < worker_share else driver.pid
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def processor_s(pid: int) -> float:
    """Processor time that a process has taken; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
