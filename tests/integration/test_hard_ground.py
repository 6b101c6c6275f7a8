"""One study on hard ground: children that outlive workers, an outage, a full disk; nothing changes.

The outage is longer than a worker may be silent, which is 5 s here: a healthy one, which beats
every second, is not late on a busy machine.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from storage import RunState
from tests.integration import comparable
from tests.integration.command import begun, ended
from tests.integration.driving import descendants, states, wait_for_done_runs
from tests.wanting import reason

pytestmark = pytest.mark.slow

STUDY = "ground"
SILENCE_S = 5.0
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
problem_options = {{ troubles = ["forks"] }}
seeds = [0]
[training]
epochs = 30
batch_size = 4
optimizer = "sgd"
pack_size = 2
checkpoint_s = 0
silence_limit_s = {SILENCE_S}
[baseline.metrics]
level = {{ error = 1.0 }}
kind = {{ error = 0.5 }}
flag = {{ error = 0.5 }}
forks = {{ error = 1.0 }}
[[search]]
weighting = ["ew", "rlw"]
stages = [{{ lr = [0.01, 0.05] }}]
"""
ON_A_SMALL_DISK = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
MOUNTED = 'mount -t tmpfs -o size=4k none "$0" && exec "$@"'


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A folder that can be made a disk on which no checkpoint has room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    try_it = [*ON_A_SMALL_DISK, MOUNTED, str(disk), "true"]
    if subprocess.run(try_it, capture_output=True, check=False).returncode:
        pytest.skip(reason("a right to mount a small disk in a namespace of its own"))
    return disk


def test_children_an_outage_and_a_full_disk_change_nothing(
    spec: Path, undisturbed: str, full: Path, tmp_path: Path
) -> None:
    database = tmp_path / "w.db"
    url = f"sqlite:///{database}"
    run = ("run", str(spec), "--workers", "2", "--storage", url, "--checkpoints", str(full))
    with begun(tmp_path, *run, prefix=[*ON_A_SMALL_DISK, MOUNTED, str(full)]) as driver:
        wait_for_done_runs(url, STUDY, 1)
        kill_a_worker_with_children(driver.pid)
        with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(SILENCE_S + 2.0)
            other.execute("ROLLBACK")
        said = ended(driver)
    assert (said.code, said.err) == (0, "")
    assert "could not be written to" in said.text
    assert "No space left on device" in said.text
    assert comparable.results(url, STUDY) == comparable.results(undisturbed, STUDY)
    assert comparable.epochs(url, STUDY) == comparable.epochs(undisturbed, STUDY)
    assert RunState.LEASED not in states(url, STUDY)
    assert lost_workers(database) == 1, "the driver has ended healthy workers"


def kill_a_worker_with_children(driver: int) -> None:
    """Of the processes that others are forked from, the first is none: it forks workers."""
    parents = [pid for pid in descendants(driver)[1:] if descendants(pid)]
    os.kill(random.Random(0).choice(parents), signal.SIGKILL)


def lost_workers(database: Path) -> int:
    """How many workers have lost attempts."""
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT COUNT(DISTINCT worker) FROM attempt_costs WHERE state = 'lost'"
        (found,) = connection.execute(query).fetchone()
        return int(found)
