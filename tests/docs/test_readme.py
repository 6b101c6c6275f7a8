"""The front door keeps its word: its blocks run, in order, in an empty folder."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer

from search_spaces import SimplexGrid
from study import catalogue
from study.catalogue import presets
from study.cli._main import application
from tests.docs.pages import ROOT, blocks, read
from tests.docs.shell import run_bash, run_python, type_lines
from tests.integration.command import shared_fork_server

pytestmark = pytest.mark.slow

PAGE = "README.md"
BENCHMARKS = "docs/benchmarks/README.md"

# As the preset of this name: the blocks run as they stand, in seconds.
TINY = """
name = "digits"
problem = "digits"
problem_options = { train_pairs = 64, validation_pairs = 64, test_pairs = 64 }
seeds = [0]
[training]
epochs = 2
batch_size = 32
[[search]]
weighting = "scalarization"
stages = [{ lr = [1e-2] }, { task_weights = { simplex_step = 0.25 } }]
"""
WEIGHBRIDGE = f"""#!/bin/sh
exec {sys.executable} -m tests.docs.short "$@"
"""
N_RUNS = 7
"""Of the short study: a network a task, one for its learning rate, three for its weights."""
# However long it takes until the study that is to be killed has finished runs and trains others.
SLEEP = f"""#!{sys.executable}
import sqlite3
import time
from contextlib import closing

states = []
while not {{"done", "leased"}} <= {{*states}} and states.count("done") < {N_RUNS}:
    time.sleep(0.02)
    try:
        with closing(sqlite3.connect("file:killed.db?mode=ro", uri=True)) as connection:
            states = [state for state, in connection.execute("SELECT state FROM run_results")]
    except sqlite3.OperationalError:
        continue  # it is not there yet
"""
SMALLER = {
    'problem = "digits"': 'problem = "digits"\n'
    "problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }",
    "epochs = 8": "epochs = 1",
    "seeds = [0, 1]": "seeds = [0]",
    "simplex_step = 0.1 ": "simplex_step = 0.25 ",
}
"""The reader's study with few samples, points and epochs: the same searches, in seconds."""


def test_every_verb_is_named() -> None:
    verbs = typer.main.get_command(application()).commands
    assert [verb for verb in verbs if f"| `weighbridge {verb}" not in read(PAGE)] == []


def test_every_preset_is_named() -> None:
    """In full, or by its last part beside relatives."""
    text = read(PAGE) + read(BENCHMARKS)
    unnamed = [name for name in presets() if f"`{name}`" not in text and name != "digits"]
    assert [name for name in unnamed if f"`-{name.rpartition('-')[2]}`" not in text] == []


@pytest.mark.parametrize("page", [PAGE, "CONTRIBUTING.md"])
def test_make_targets_exist(page: str) -> None:
    wanted = set(re.findall(r"\bmake (\w+)$|`make (\w+)`", read(page), re.MULTILINE))
    targets = set(re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE))
    assert wanted
    assert {one or other for one, other in wanted} <= targets


def test_counts_of_the_grids_are_right() -> None:
    coarse, fine = (set(SimplexGrid(3, step).points()) for step in (0.1, 0.05))
    text = read(PAGE)
    assert coarse <= fine
    for count in (f"# {len(coarse)} points", f"{len(fine)}\npoints", f"{len(fine - coarse)} new"):
        assert count in text


def test_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On studies of seconds; that of the preset's name is one to the shell, too."""
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets/digits.toml").write_text(TINY)
    monkeypatch.setattr(catalogue, "_PRESETS", tmp_path / "presets")
    shell = {
        **shared_fork_server(),
        "TESTS_PRESETS": str(tmp_path / "presets"),
        "PYTHONPATH": str(ROOT),
        "PATH": _programs(tmp_path / "bin"),
    }
    folder = tmp_path / "readers"
    folder.mkdir()
    _follow(folder, SMALLER, finer=("0.25", "0.125"), shell=shell)
    assert _n_runs(folder / "killed.db") == N_RUNS, "it was not the short study that was killed"


@pytest.mark.nightly
def test_blocks_run_in_order_at_full_length(tmp_path: Path) -> None:
    _follow(tmp_path, {}, finer=("0.1", "0.05"), shell={})


def _follow(
    folder: Path, smaller: Mapping[str, str], finer: tuple[str, str], shell: Mapping[str, str]
) -> None:
    """Do in a folder what the page says.

    Args:
        smaller: Parts of the reader's study, and what takes their places.
        finer: Steps of its grid, before and after the reader has changed it.
        shell: The environment of the lines that are for a shell.
    """
    said = []
    for block in blocks(PAGE):
        if block.file:
            (folder / block.file).write_text(_replaced(block.text, smaller))
        elif block.language == "python":
            said.append(run_python(block.text, folder))
        elif block.language == "bash" and _is_for_readers_folder(block.text):
            if block.text.startswith("weighbridge plan my_study.toml"):
                attempts = _attempts(folder)
                _extend(folder / "my_study.toml", *finer)
            for line in block.text.splitlines():
                typed = partial(run_bash, **shell) if "&" in line else type_lines
                said.append(typed(line, folder))
    assert (folder / "report.html").stat().st_size > 1e6
    assert (folder / "runs.csv").read_text().startswith("study,")
    assert (folder / "cost.html").exists()
    assert "0 runs failed" in "".join(said)
    assert attempts, "no finished run to look at"
    assert attempts.items() <= _attempts(folder).items(), "a finished run was trained again"


def _replaced(text: str, parts: Mapping[str, str]) -> str:
    for part, other in parts.items():
        assert text.count(part) == 1
        text = text.replace(part, other)
    return text


def _programs(folder: Path) -> str:
    """A path on which the command is `short`'s, and to sleep is to wait for the right moment."""
    folder.mkdir()
    for name, text in {"weighbridge": WEIGHBRIDGE, "sleep": SLEEP}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def _is_for_readers_folder(text: str) -> bool:
    """Cloning is not for a test."""
    return text.startswith("weighbridge")


def _extend(spec: Path, step: str, finer: str) -> None:
    """The reader changes the step of the grid."""
    grid = {f"simplex_step = {step} ": f"simplex_step = {finer} "}
    spec.write_text(_replaced(spec.read_text(), grid))


def _attempts(folder: Path) -> dict[int, int]:
    """How many attempts each finished run of the reader's study has had."""
    rows = _asked(
        folder / "weighbridge.db",
        "SELECT c.run, COUNT(*) FROM attempt_costs c JOIN run_results r ON r.run = c.run "
        "WHERE r.study = 'my-study' AND r.state = 'done' GROUP BY c.run",
    )
    return {int(run): int(n) for run, n in rows}


def _n_runs(database: Path) -> int:
    ((n,),) = _asked(database, "SELECT COUNT(*) FROM run_results")
    return int(n)


def _asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()
