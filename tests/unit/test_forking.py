"""What is reported of tests that run in forked processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_CONFTEST = """
import os

import pytest


@pytest.fixture(scope="session")
def process():
    yield os.getpid()
    with open("ended", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""
_DEADLY = """
import os


def test_before(process, capfd):
    print("heard")
    assert capfd.readouterr().out == "heard\\n"
    assert process == os.getpid()


def test_that_kills():
    os._exit(7)


def test_behind(process):
    assert process == os.getpid()
"""
_FAILING = """
import pytest


def test_that_fails(process):
    print("said before")
    raise AssertionError("for a reason")


@pytest.mark.skip("for a whim")
def test_left_out():
    raise AssertionError("not to be run")
"""


def run(folder: Path, *args: str) -> str:
    """What pytest prints of the tests in a folder, with two forked processes."""
    plugins = ("no:xdist", "no:hypothesispytest", "tests.forking")
    options = [part for plugin in plugins for part in ("-p", plugin)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--forks", "2", "-rfs", *args],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_each_test_is_reported_once_whatever_becomes_of_its_process(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "test_deadly.py").write_text(_DEADLY)
    (tmp_path / "test_failing.py").write_text(_FAILING)
    told = run(tmp_path)
    assert "2 failed, 2 passed, 1 skipped" in told
    assert "FAILED test_deadly.py::test_that_kills - The process died of this test, with" in told
    assert "FAILED test_failing.py::test_that_fails - AssertionError: for a reason" in told
    assert "said before" in told
    assert "for a whim" in told
    ended = (tmp_path / "ended").read_text().split()  # not by the process that died
    assert len(ended) == len({*ended}) == 2
    assert " 2 failed in " in run(tmp_path, "--last-failed")


def test_what_ends_a_session_ends_it_everywhere(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_fails():\n    assert False\n")
    (tmp_path / "test_b.py").write_text(
        "import time\n\nimport pytest\n\n\n"
        '@pytest.mark.parametrize("i", range(500))\n'
        "def test_passes(i):\n    time.sleep(0.01)\n"
    )
    assert "stopping after 1 failures" in run(tmp_path, "--exitfirst")
