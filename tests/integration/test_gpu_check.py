"""`make gpu-check`, rehearsed on a processor with what its target machine has, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tools.gpu_check._processes import Failed, in_process, in_processes
from tools.gpu_check._setting import as_line, goal

ROOT = Path(__file__).resolve().parents[2]
STEPS = (
    "opening",
    "bits",
    "repeating",
    "resuming",
    "memory",
    "compiling",
    "reading",
    "energy",
    "speed",
)
MISSING = ("ray", "optuna", "psycopg", "plotly", "rich", "river", "torchjd")
REFUSES = f"""
import sys

class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MISSING!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuses())
"""
# The process has imported torch, and has not used it: what workers are forked from is its fork.
FORKS = """
import os, runpy, socket, sys
from study.drivers.local.fork_server import _ENVIRONMENT, ForkServer
from trainers.worker import fork_server

class Forked:
    def __init__(self, pid):
        self.pid = pid

    def kill(self):
        os.kill(self.pid, 9)

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

def start(cls):
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        ours.close()
        os.setsid()
        os.environ.update(_ENVIRONMENT)
        sys.argv[1:] = [str(theirs.detach())]
        fork_server.main()
    theirs.close()
    return cls(ours, Forked(pid))

ForkServer.start = classmethod(start)
runpy.run_module("tools.gpu_check", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The lines of all steps, by name."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text(REFUSES)
    run = subprocess.run(
        [sys.executable, "-c", FORKS, "--device=cpu", "--small", "--patience=10"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert lines, run.stderr
    return {line["step"]: line for line in lines}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_keeps_its_promises_on_a_processor(
    said: dict[str, dict[str, Any]], step: str
) -> None:
    assert said[step]["ok"], said[step]


def test_the_last_line_is_of_all(said: dict[str, dict[str, Any]]) -> None:
    assert list(said) == [*STEPS, "all"]
    assert said["all"]["ok"]


def test_goals_are_for_gpus(said: dict[str, dict[str, Any]]) -> None:
    assert not [step for step, line in said.items() if "goals" in line]


def test_speeds_stand_beside_what_the_device_allows(said: dict[str, dict[str, Any]]) -> None:
    fused = said["speed"]["mlp"]["fused, 36 rates"]
    assert 0 < fused["least_ms"] < fused["step_ms"]
    assert fused["kernels"] > 0


def raises() -> None:
    raise ValueError("no such luck")


def dies() -> None:
    os._exit(9)


def hangs() -> None:
    time.sleep(60)


@pytest.mark.parametrize(
    ("work", "limit_s", "how"),
    [(raises, 120, "no such luck"), (dies, 120, "ended with 9"), (hangs, 0.1, "took too long")],
)
def test_a_step_that_comes_to_no_end_is_told(work: Any, limit_s: float, how: str) -> None:
    with pytest.raises(Failed, match=how):
        in_process(work, limit_s=limit_s, group=True)


def test_processes_answer_in_order() -> None:
    works = [lambda: 1, lambda: "two", lambda: [3.0]]
    assert in_processes(works, limit_s=120) == [1, "two", [3.0]]


def test_a_line_is_json_of_few_digits() -> None:
    line = as_line({"step": "x", 1: [0.123456, {"n": 7}], "goals": {"g": goal(1.0, 2.0)}})
    assert json.loads(line) == {
        "step": "x",
        "1": [0.1235, {"n": 7}],
        "goals": {"g": {"value": 1.0, "goal": 2.0, "met": False}},
    }
