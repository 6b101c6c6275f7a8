"""The front door keeps its word: its blocks run, in order, in an empty folder."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import typer

from search_spaces import SimplexGrid
from study.catalogue import presets
from study.cli._main import application
from tests.docs.pages import blocks, read
from tests.docs.shell import run_bash, run_python, type_lines

pytestmark = pytest.mark.slow

PAGE = "README.md"
BENCHMARKS = "docs/benchmarks/README.md"

# A file of this name is found before the preset: the blocks run as they stand, in seconds.
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


def test_blocks_run_in_order(tmp_path: Path) -> None:
    (tmp_path / "digits").write_text(TINY)
    said = []
    for block in blocks(PAGE):
        if block.file:
            (tmp_path / block.file).write_text(_smaller(block.text))
        elif block.language == "python":
            said.append(run_python(block.text, tmp_path))
        elif block.language == "bash" and _is_for_readers_folder(block.text):
            if block.text.startswith("weighbridge plan my_study.toml"):
                attempts = _attempts(tmp_path)
                _extend(tmp_path / "my_study.toml")
            for line in block.text.splitlines():
                typed = run_bash if "&" in line else type_lines
                said.append(typed(line.replace("sleep 4", "sleep 2"), tmp_path))
    assert (tmp_path / "report.html").stat().st_size > 1e6
    assert (tmp_path / "runs.csv").read_text().startswith("study,")
    assert (tmp_path / "cost.html").exists()
    assert "0 runs failed" in "".join(said)
    assert attempts, "no finished run to look at"
    assert attempts.items() <= _attempts(tmp_path).items(), "a finished run was trained again"


def _smaller(text: str) -> str:
    """The reader's study with few samples, points and epochs: the same searches, in seconds."""
    small = "problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }"
    text = text.replace("epochs = 8", "epochs = 1").replace("seeds = [0, 1]", "seeds = [0]")
    text = text.replace("simplex_step = 0.1 ", "simplex_step = 0.25 ")
    changed = text.replace('problem = "digits"', f'problem = "digits"\n{small}')
    assert changed.count("= 1\n") == 1
    return changed


def _is_for_readers_folder(text: str) -> bool:
    """Cloning is not for a test."""
    return text.startswith("weighbridge")


def _extend(spec: Path) -> None:
    before = spec.read_text()
    after = before.replace("simplex_step = 0.25 ", "simplex_step = 0.125 ")
    assert after != before
    spec.write_text(after)


def _attempts(folder: Path) -> dict[int, int]:
    """How many attempts each finished run of the reader's study has had."""
    connection = sqlite3.connect(folder / "weighbridge.db")
    try:
        rows = connection.execute(
            "SELECT c.run, COUNT(*) FROM attempt_costs c JOIN run_results r ON r.run = c.run "
            "WHERE r.study = 'my-study' AND r.state = 'done' GROUP BY c.run"
        )
        return {int(run): int(n) for run, n in rows}
    finally:
        connection.close()
