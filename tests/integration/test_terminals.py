"""The command as a process: on poor terminals, with readers that leave, when it is interrupted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import toy
from tests.integration.command import command

ROOT = Path(__file__).parents[2]
DEADLINE_S = 240
SPEC = """
name = "odd"
problem = "mine:Mine"
seeds = [0]
training = { epochs = 1, batch_size = 4 }
[baseline.metrics]
level = { error = 1.0 }
kind = { error = 0.5 }
flag = { error = 0.5 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.05] }]
"""
# prints, leaves its folder, and ends the process from within a loss
MINE = """
import os, sys
import toy
from trainers.protocol import TaskFunctions
print("noise")
os.chdir("/")

class Mine(toy.Toy):
    def functions(self, task):
        def loss(output, target):
            sys.exit(0)
        return TaskFunctions(loss=loss, metrics=super().functions(task).metrics)
"""
# commands of one process, as if each was typed when that before it had ended
IN_TURN = """
import sys
from study.cli import main
for line in sys.argv[1:]:
    sys.argv = ["weighbridge", *line.split()]
    try:
        main()
        code = 0
    except SystemExit as ending:
        code = ending.code or 0
    sys.stdout.flush()
    print("ended with", code, file=sys.stderr)
"""
# short waits: a signal that comes just before a long one would be heard after it
WAITING = """
import pathlib, time
pathlib.Path(__file__).with_suffix(".begun").touch()
for _ in range(6000):
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a study ran whose code calls ``sys.exit(0)`` wherever it trains."""
    made = tmp_path_factory.mktemp("odd")
    shutil.copy(toy.__file__, made / "toy.py")
    (made / "odd.toml").write_text(SPEC)
    (made / "mine.py").write_text(MINE)
    said = command(made, "run", "odd.toml", "--workers", "1")
    assert said.code == 1, "an exit is no success"
    assert "0 runs done" in said.out
    assert "1 failed" in said.out
    return made


def process(
    folder: Path, shell: str, *, redirect: int = subprocess.PIPE, **environment: str
) -> subprocess.Popen[bytes]:
    """A shell in a folder, for which ``weighbridge`` is ``$W``."""
    kept = {k: v for k, v in os.environ.items() if k not in ("WEIGHBRIDGE_STORAGE", "COLUMNS")}
    return subprocess.Popen(
        ["bash", "-c", shell],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "W": f"{sys.executable} -m study.cli", **environment},
        stdin=subprocess.DEVNULL,
        stdout=redirect,
        stderr=redirect,
        start_new_session=True,
    )


def in_turn(folder: Path, *lines: str, **environment: str) -> subprocess.Popen[bytes]:
    """A process that runs several commands; of each it says in an error how it has ended."""
    words = shlex.join([sys.executable, "-c", IN_TURN, *lines])
    return process(folder, f"exec {words}", **environment)


def test_an_exit_is_told_as_the_cause(folder: Path) -> None:
    said = command(folder, "status", "odd", "--json").json
    (ending,) = said["bad_endings"]
    assert "SystemExit: 0" in ending["reason"]
    assert (folder / "weighbridge.db").exists(), "though the user's code left the folder"


def test_what_code_of_a_user_prints_is_no_part_of_the_json(folder: Path) -> None:
    said = command(folder, "plan", "odd.toml", "--json")
    assert json.loads(said.out)["study"] == "odd"
    assert "noise" in said.err


def test_terminals_without_unicode_get_every_verb(folder: Path) -> None:
    verbs = ("plan odd.toml", "status odd", "compare odd")
    poor = {"PYTHONIOENCODING": "ascii", "TERM": "dumb", "NO_COLOR": "1"}
    plain = in_turn(folder, *verbs, **poor)
    latin = in_turn(folder, "compare odd", PYTHONIOENCODING="latin-1")
    for ran, encoding, n in ((plain, "ascii", 3), (latin, "latin-1", 1)):
        out, err = ran.communicate(timeout=DEADLINE_S)
        assert err.decode(encoding).splitlines() == n * ["ended with 0"]
        assert out.decode(encoding).count("next: weighbridge") >= n


@pytest.mark.parametrize(
    "sizes",
    [
        {"COLUMNS": "0", "LINES": "0", "TERMINAL_WIDTH": "0"},
        {"COLUMNS": "²", "LINES": "²", "TERMINAL_WIDTH": "wide"},
        {"COLUMNS": "99999999999", "LINES": "-1", "TERMINAL_WIDTH": "9" * 5000},
        {"COLUMNS": "1", "LINES": "1"},
    ],
)
def test_a_size_that_no_terminal_has_takes_no_word_away(
    folder: Path, sizes: dict[str, str]
) -> None:
    ran = in_turn(folder, "--help", "status odd", "status nope", **sizes)
    out, err = ran.communicate(timeout=DEADLINE_S)
    assert re.findall(rb"ended with (\d+)", err) == [b"0", b"0", b"2"]
    assert b"Traceback" not in err
    assert out.count(b"\n") > 20
    if sizes["COLUMNS"] != "1":
        assert b"Usage: weighbridge" in out
        assert b"next: weighbridge" in out
        assert b"error There is no study 'nope'." in err


def test_a_reader_that_leaves_and_a_closed_or_full_output_are_told_at_most(folder: Path) -> None:
    leaves = process(folder, "$W presets | head -n 1; $W presets >&-; $W presets > /dev/full")
    out, err = leaves.communicate(timeout=DEADLINE_S)
    assert b"Studies" in out or out.strip() == b""
    assert b"Traceback" not in err
    assert b"No space left on device" in err


@pytest.mark.parametrize(
    ("module", "verb"),
    [("typer", "presets"), ("waits", "plan waits.toml")],
    ids=["a package of ours", "a problem"],
)
def test_an_interrupt_while_modules_import_is_polite(
    folder: Path, tmp_path: Path, module: str, verb: str
) -> None:
    (tmp_path / f"{module}.py").write_text(WAITING)
    (folder / "waits.toml").write_text(SPEC.replace("mine:Mine", "waits:Waits"))
    ran = process(folder, f"exec $W {verb}", PYTHONPATH=f"{tmp_path}:{ROOT}")
    try:
        wait_for(tmp_path / f"{module}.begun", ran)
        ran.send_signal(signal.SIGINT)
        _, err = ran.communicate(timeout=DEADLINE_S)
        assert ran.returncode == 130
        assert b"Traceback" not in err
    finally:
        ran.kill()


def wait_for(file: Path, of: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not file.exists():
        assert of.poll() is None
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
