"""`weighbridge log`: what runs failed for, the way there, and what they have printed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import toy
from tests.integration.command import command

SPEC = """
name = "tired"
problem = "toy:Toy"
seeds = [0]
training = {{ epochs = {epochs}, batch_size = 4, optimizer = "sgd" }}
problem_options.troubles = ["prints", "raises"]
baseline.metrics = {{ level.error = 1.0, kind.error = 0.5, flag.error = 0.5, prints.error = 1.0, \
raises.error = 1.0 }}
[[search]]
weighting = "ew"
stages = [{{ lr = [0.02] }}]
"""
DYING = """
name = "dying"
seeds = [0]
function = {{ target = "dying:train", metric = "loss" }}
training.epochs = 2
search = [{{ stages = [{{ x = [1] }}] }}]
"""
BODY = """
import os, sys
def train(params, seed, folder, report):
    print("hello from the function", file=sys.stderr)
    report(1, {"loss": 1.0})
    if not (folder / "died").exists():
        (folder / "died").touch()
        print("about to die")
        os._exit(3)
    report(2, {"loss": 0.5})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of which every run fails, and one whose worker died once."""
    folder = tmp_path_factory.mktemp("log")
    shutil.copy(toy.__file__, folder / "toy.py")
    (folder / "dying.py").write_text(BODY)
    (folder / "tired.toml").write_text(SPEC.format(epochs=toy.CALM_CALLS))
    (folder / "dying.toml").write_text(DYING.format())
    assert command(folder, "run", "tired.toml", "--workers", "1").code == 1
    assert command(folder, "run", "dying.toml", "--workers", "1").code == 0
    return folder


def run_of(folder: Path, study: str) -> str:
    with closing(sqlite3.connect(folder / "weighbridge.db")) as connection, connection:
        ((number,),) = connection.execute("SELECT run FROM run_results WHERE study = ?", (study,))
    return str(number)


def of_run(folder: Path, study: str) -> Any:
    return command(folder, "log", study, run_of(folder, study), "--json").json


def test_what_failed_is_told_by_cause_with_part_and_line(folder: Path) -> None:
    said = command(folder, "log", "tired")
    assert said.code == 0
    assert "ArithmeticError in 1 attempt at 1 run of ew" in said.text
    assert "this loss is tired (loss of task raises; toy.py, line " in said.text
    assert f"next: weighbridge log tired {run_of(folder, 'tired')}" in said.out


CLOSING = """
import os, sys
def train(params, seed, folder, report):
    print("the last that is heard", params["x"], flush=True)
    exec(["sys.stdout.close()", "sys.stderr = None", "os.close(1), os.close(2)"][params["x"]])
    report(1, {"loss": 1.0})
"""


def test_a_run_that_closes_its_streams_harms_no_run(tmp_path: Path) -> None:
    (tmp_path / "closing.py").write_text(CLOSING)
    spec = DYING.format().replace("dying", "closing").replace("[1]", "[0, 1, 2]")
    (tmp_path / "closing.toml").write_text(spec)
    said = command(tmp_path, "run", "closing.toml", "--workers", "1")
    assert said.code == 0
    assert "closing: 3 runs done" in said.text
    for run in range(1, 4):
        assert (
            f"the last that is heard {run - 1}"
            in command(tmp_path, "log", "closing", str(run)).text
        )


def test_status_names_the_verb_and_the_run(folder: Path) -> None:
    said = command(folder, "status", "tired")
    assert f"next: weighbridge log tired {run_of(folder, 'tired')}" in said.out


def test_a_run_has_its_traceback_and_its_output(folder: Path) -> None:
    said = command(folder, "log", "tired", run_of(folder, "tired"), "--lines", "2")
    assert 'raise ArithmeticError("this loss is tired")' in said.out
    assert "It came from the loss of task raises." in said.out
    printed = [line for line in said.out.splitlines() if line.startswith("call ")]
    assert len(printed) == 2


def test_json_has_all_of_it(folder: Path) -> None:
    found = of_run(folder, "tired")
    assert (found["state"], [a["ended_as"] for a in found["attempts"]]) == ("failed", ["failed"])
    (output,) = found["output"]
    assert Path(output["place"]).read_text() == output["text"]
    assert output["text"].startswith("--- attempt 1 ---\ncall ")


def test_a_worker_that_died_leaves_its_last_words_with_the_run(folder: Path) -> None:
    found = of_run(folder, "dying")
    lost, done = found["attempts"]
    assert (lost["failure"], done["failure"]) == ("WorkerLost", None)
    (output,) = found["output"]
    assert output["text"].count("hello from the function") == 2
    assert "about to die" in output["text"]


def test_output_on_another_disk_is_said_to_be_there(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "weighbridge.db", tmp_path)
    place = Path(of_run(folder, "dying")["output"][0]["place"])
    aside = place.rename(tmp_path / "aside")
    try:
        said = command(tmp_path, "log", "dying", run_of(folder, "dying"))
    finally:
        aside.rename(place)
    assert "No output is here; what the run has printed would be in" in said.text
    assert place.name in said.out.replace("\n", "")


def test_a_study_without_failures_says_so_and_an_unknown_run_is_refused(folder: Path) -> None:
    unknown = command(folder, "log", "dying", "999")
    assert (unknown.code, "has none at run 999" in unknown.err) == (2, True)
    assert "WorkerLost in 1 attempt" in command(folder, "log", "dying").text
