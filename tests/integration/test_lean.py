"""What needs few packages runs without the others, and what needs one says which."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """
name = "lean"
problem = "digits"
problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }
seeds = [0]
training = { epochs = 1, batch_size = 32 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.01, 0.03] }]
"""
MISSING = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("optuna", "pandas", "plotly", "psycopg", "pyarrow", "ray"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python looks into `site` first, and finds none of six packages."""
    folder = tmp_path_factory.mktemp("lean")
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(MISSING)
    (folder / "lean.toml").write_text(SPEC)
    return folder


def weighbridge(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "site")}
    command = [sys.executable, "-m", "study.cli", *line.split()]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_grid_in_a_file_is_run_and_looked_at(folder: Path) -> None:
    said = ""
    for line in ("plan lean.toml", "run lean.toml --workers 1", "status lean", "log lean"):
        done = weighbridge(folder, line)
        assert done.returncode == 0, done.stderr
        said += done.stdout
    assert "8 runs done" in said


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("compare quickstart", "pandas"),
        ("report quickstart", "pandas"),
        ("run quickstart --driver ray", "ray"),
        ("status --storage postgresql://me@127.0.0.1/none", "psycopg"),
    ],
)
def test_what_is_missing_is_one_sentence(folder: Path, line: str, package: str) -> None:
    done = weighbridge(folder, line)
    assert done.returncode == 2, done.stderr
    said = " ".join(done.stderr.split())
    assert said.startswith(f"error This needs the package {package}, which ")
    assert f"Install it: pip install '{package}" in said
