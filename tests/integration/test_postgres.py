"""Real studies on a server: restarted under way, and worked on by two drivers at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import RunState, Storage
from tests import toy
from tests.contract.storage_backends import postgres_schema
from tests.integration import comparable
from tests.integration.command import WARM, shared_fork_server
from tests.integration.driving import complete
from tests.integration.servers import own_server
from tests.throwaway_postgres import SERVER

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STUDY = "ground"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
training = {{ epochs = 12, batch_size = 4, optimizer = "sgd" }}
[[search]]
weighting = ["ew", "rlw"]
stages = [{{ lr = [0.02, 0.05] }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [0.05] }}, {{ temperature = {{ line = [1, 10] }} }}]
"""
DEADLINE_S = 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the spec and its problem."""
    folder = tmp_path_factory.mktemp("ground")
    (folder / f"{STUDY}.toml").write_text(SPEC)
    shutil.copy(toy.__file__, folder / "toy.py")
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> str:
    """The SQLite database of a study that one driver trained without trouble."""
    url = f"sqlite:///{folder / 'undisturbed.db'}"
    complete(folder / f"{STUDY}.toml", url)
    return url


@pytest.fixture
def server() -> Iterator[Path]:
    with own_server() as folder:
        yield folder


def test_a_restart_of_the_server_changes_nothing(
    folder: Path, undisturbed: str, server: Path
) -> None:
    # a server that confirms a commit before it is on disk would forget it in the crash
    options = "options=-csynchronous_commit%3Don"
    url = f"postgresql+psycopg://weighbridge@/postgres?host={server}&{options}"
    driver = start(folder, url)
    wait_for_done_runs(url, 4)
    subprocess.run([SERVER, "restart", server], check=True)
    said = driver.communicate(timeout=DEADLINE_S)[0].decode()
    assert driver.returncode == 0, said
    assert_same_results(url, undisturbed)


def test_two_drivers_share_a_study_on_a_server(folder: Path, undisturbed: str) -> None:
    with postgres_schema() as url:
        work_together(folder, url)
        assert_same_results(url, undisturbed)


def test_two_drivers_share_a_study_in_a_file(
    folder: Path, undisturbed: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    work_together(folder, url)
    assert_same_results(url, undisturbed)


def work_together(folder: Path, url: str) -> None:
    drivers = [start(folder, url) for _ in range(2)]
    assert [finish(driver) for driver in drivers] == [0, 0]


def assert_same_results(url: str, other: str) -> None:
    """Results and decisions have the same bits, and no run was trained to its end twice."""
    assert comparable.results(url, STUDY) == comparable.results(other, STUDY)
    assert comparable.epochs(url, STUDY) == comparable.epochs(other, STUDY)
    assert comparable.decisions(url, STUDY) == comparable.decisions(other, STUDY)
    ended = Counter(
        run
        for run, state in comparable.attempts(url, STUDY)
        if run is not None and state == "finished"
    )
    assert set(ended.values()) == {1}


def start(folder: Path, url: str) -> subprocess.Popen[bytes]:
    command = ["-m", WARM, "run", f"{STUDY}.toml", "--workers", "1", "--storage", url]
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **shared_fork_server()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(driver: subprocess.Popen[bytes]) -> int:
    """Wait for a driver; shows what it said if it failed."""
    said = driver.communicate(timeout=DEADLINE_S)[0].decode()
    print(said)
    return driver.returncode


def wait_for_done_runs(url: str, n: int) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    with closing(Storage(url)) as storage:
        while time.monotonic() < deadline_s:
            study = storage.find_study(STUDY)
            if study and storage.totals(study.id).states.get(RunState.DONE, 0) >= n:
                return
            time.sleep(0.05)
    pytest.fail(f"{n} runs were not done within {DEADLINE_S} s")
