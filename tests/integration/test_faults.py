"""Runs that hang, raise, vanish or babble: each ends by the rules, and the study without them."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import tests
from storage import Reader
from study.drivers import WorkerLost
from study.drivers.local.driver import LocalDriver
from tests import toy
from tests.integration.command import DEADLINE_S, Said, command, typed
from trainers.jobs import ProblemRef, Training

HERE = Path(__file__).parent
RUN = ("run", "moody.toml", "--workers", "1")
# far more than any run here takes that does not hang, which is milliseconds
LIMIT_S = 8.0
HEAD = """
name = "moody"
problem = "moody:Moody"
problem_options = {{ {options} }}
seeds = {seeds}
[training]
epochs = 2
batch_size = 4
optimizer = "sgd"
{training}
[baseline.metrics]
level = {{ error = 1.0 }}
kind = {{ error = 0.5 }}
flag = {{ error = 0.5 }}
"""
# only the first search tries learning rates that bring the bug out
SEARCHES = """
[[search]]
weighting = "ew"
stages = [{{ lr = {rates} }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [0.05] }}, {{ temperature = {{ line = [1, 10] }} }}]
"""


def write(
    folder: Path, options: str, *, rates: str, seeds: str = "[0]", training: str = ""
) -> None:
    text = HEAD + SEARCHES
    (folder / "moody.toml").write_text(
        text.format(options=options, rates=rates, seeds=seeds, training=training)
    )
    shutil.copy(toy.__file__, folder / "toy.py")
    shutil.copy(HERE / "moody.py", folder / "moody.py")


def run(folder: Path) -> Said:
    return command(folder, *RUN)


def rows(folder: Path, view: str, search: str) -> list[dict[str, Any]]:
    """A view's rows of one search, oldest first."""
    reader = Reader(f"sqlite:///{folder / 'weighbridge.db'}")
    try:
        names, results = reader.view("run_results", "moody")
        runs = {row[names.index("run")]: row[names.index("search")] for row in results}
        names, found = reader.view(view, "moody")
    finally:
        reader.close()
    named = [dict(zip(names, row, strict=True)) for row in found]
    return [row for row in named if runs.get(row["run"]) == search]


def states(folder: Path, search: str) -> list[str]:
    return [row["state"] for row in rows(folder, "run_results", search)]


def failure(folder: Path, search: str = "ew") -> list[tuple[str, str | None]]:
    """(state, failure class) of each attempt of a search that did not finish."""
    attempts = rows(folder, "attempt_costs", search)
    return [(row["state"], row["failure"]) for row in attempts if row["state"] != "finished"]


class TestHanging:
    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("hanging")
        limit = f"run_limit_s = {LIMIT_S}"
        write(folder, 'mood = "hangs"', rates="[0.05, 1e6]", training=limit)
        return folder

    @pytest.fixture(scope="class")
    @classmethod
    def said(cls, folder: Path) -> Said:
        return run(folder)

    def test_the_command_says_that_a_run_failed(self, said: Said) -> None:
        assert said.code == 1
        assert ", 0 diverged, 1 failed, 0 left." in said.text
        assert "next: weighbridge log moody" in said.out
        assert said.err == ""

    def test_status_says_why(self, said: Said, folder: Path) -> None:
        text = command(folder, "status", "moody").text
        assert "ew trial 1 seed 0: It outlasted [training] `run_limit_s`." in text

    def test_the_rest_of_the_study_is_complete(self, said: Said, folder: Path) -> None:
        assert states(folder, "ew") == ["done", "failed"]
        assert set(states(folder, "uw-so")) == {"done"}
        compared = command(folder, "compare", "moody", "--json").json["rows"]
        assert [row["search"] for row in compared] == ["stl", "ew", "uw-so"]

    def test_the_attempt_is_in_the_ledger_once_with_its_time(
        self, said: Said, folder: Path
    ) -> None:
        assert failure(folder) == [("failed", "TimeLimit")]
        (hung,) = [r for r in rows(folder, "attempt_costs", "ew") if r["failure"] == "TimeLimit"]
        assert hung["device_s"] >= LIMIT_S

    def test_it_can_be_tried_again(self, said: Said, folder: Path) -> None:
        assert "1 run in the queue again" in command(folder, "retry", "moody", "--lost").text


class TestSameTraceback:
    """Six runs of one search would fail alike; with one worker, they do so one by one."""

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("same")
        write(folder, 'mood = "raises"', rates="[1e6, 2e6, 3e6]", seeds="[0, 1]")
        return folder

    @pytest.fixture(scope="class")
    @classmethod
    def said(cls, folder: Path) -> Said:
        return run(folder)

    def test_the_command_says_that_the_search_stopped(self, said: Said) -> None:
        assert said.code == 1
        assert ", 0 diverged, 3 failed, 3 left." in said.text
        assert (
            "note search ew stopped: 3 runs failed with the same ArithmeticError; mend the cause, "
            "then: weighbridge retry moody." in said.text
        )
        assert said.err == ""

    def test_no_fourth_run_is_handed_out(self, said: Said, folder: Path) -> None:
        assert failure(folder) == [("failed", "ArithmeticError")] * 3
        assert sorted(states(folder, "ew")) == ["failed"] * 3 + ["waiting"] * 3

    def test_other_searches_are_complete(self, said: Said, folder: Path) -> None:
        finished = states(folder, "uw-so")
        assert finished and set(finished) == {"done"}

    def test_running_again_hands_out_nothing(self, said: Said, folder: Path) -> None:
        again = run(folder)
        assert (again.code, len(failure(folder))) == (1, 3)
        assert "search ew stopped: 3 runs failed with the same ArithmeticError" in again.text

    def test_mended_and_retried_it_ends(self, said: Said, folder: Path) -> None:
        source = folder / "moody.py"
        source.write_text(source.read_text().replace("raise ArithmeticError", "print"))
        assert "3 runs in the queue again" in command(folder, "retry", "moody").text
        again = run(folder)
        assert again.code == 0, again.text
        assert "0 failed, 0 left." in again.text
        assert "failed" not in states(folder, "ew")


def test_a_worker_that_leaves_without_a_word_is_not_a_result(tmp_path: Path) -> None:
    write(tmp_path, 'mood = "leaves"', rates="[0.05, 1e6]")
    said = run(tmp_path)
    assert said.code == 1
    assert ", 0 diverged, 1 failed, 0 left." in said.text
    lost = ("lost", "WorkerLost")
    assert failure(tmp_path) == [*[lost] * 4, ("failed", "WorkerLost")]
    assert "5 workers in a row ended while training it. The last: exit code 0" in (
        command(tmp_path, "status", "moody").text
    )
    assert set(states(tmp_path, "uw-so")) == {"done"}


def test_what_workers_print_disturbs_nothing(tmp_path: Path) -> None:
    write(tmp_path, 'mood = "prints", limit = 0.0', rates="[0.05]")
    said = typed(tmp_path, *RUN)
    assert said.code == 0
    assert "0 failed, 0 left." in said.text
    assert "Traceback" not in said.out + said.err
    assert failure(tmp_path) == []


def test_ending_a_worker_that_has_just_died_is_no_error() -> None:
    problem = ProblemRef(target="toy:Toy", folder=str(Path(tests.__path__[0])))
    driver = LocalDriver(problem, Training(epochs=1, batch_size=6), devices=["cpu"])
    try:
        driver.start()
        pid = driver.pid(0)
        os.kill(pid, signal.SIGKILL)
        deadline_s = time.monotonic() + DEADLINE_S
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < deadline_s, "the dead worker is not waited for"
            time.sleep(0.01)
        driver.kill(0)
        assert isinstance(driver.poll(DEADLINE_S)[-1], WorkerLost)
    finally:
        driver.close()
