"""Real studies on a server: restarted under way, and worked on by two drivers at once."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.contract.storage_backends import postgres_schema
from tests.integration import comparable
from tests.integration.command import WARM, Command, begun, ended
from tests.integration.driving import wait_for_done_runs
from tests.integration.servers import own_server
from tests.throwaway_postgres import SERVER

pytestmark = pytest.mark.slow

STUDY = "ground"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
training = {{ epochs = 6, batch_size = 4, optimizer = "sgd" }}
[[search]]
weighting = ["ew", "rlw"]
stages = [{{ lr = [0.02, 0.05] }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [0.05] }}, {{ temperature = {{ line = [1, 10] }} }}]
"""


@pytest.fixture
def server() -> Iterator[Path]:
    with own_server() as folder:
        yield folder


def test_a_restart_of_the_server_changes_nothing(
    spec: Path, undisturbed: str, server: Path
) -> None:
    # a server that confirms a commit before it is on disk would forget it in the crash
    options = "options=-csynchronous_commit%3Don"
    url = f"postgresql+psycopg://weighbridge@/postgres?host={server}&{options}"
    with driver(spec, url) as restarted:
        wait_for_done_runs(url, STUDY, 4)
        subprocess.run([SERVER, "restart", server], check=True)
        assert_fine(restarted)
    assert_same_results(url, undisturbed)


def test_two_drivers_share_a_study_on_a_server(spec: Path, undisturbed: str) -> None:
    with postgres_schema() as url:
        work_together(spec, url)
        assert_same_results(url, undisturbed)


def test_two_drivers_share_a_study_in_a_file(spec: Path, undisturbed: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    work_together(spec, url)
    assert_same_results(url, undisturbed)


def work_together(spec: Path, url: str) -> None:
    with driver(spec, url) as one, driver(spec, url) as other:
        assert_fine(one)
        assert_fine(other)


def driver(spec: Path, url: str) -> AbstractContextManager[Command]:
    words = ("run", spec.name, "--workers", "1", "--storage", url)
    return begun(spec.parent, *words, module=WARM)


def assert_fine(driver: Command) -> None:
    said = ended(driver)
    assert said.code == 0, said


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
