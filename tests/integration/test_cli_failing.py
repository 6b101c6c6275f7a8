"""What `run` says and leaves behind of what fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import toy
from tests.integration.command import command
from tests.integration.driving import descendants
from tests.integration.tiny_study import write_spec

TIRED = """
[problem_options]
troubles = ["raises"]
[baseline.metrics]
level = { error = 1.0 }
kind = { error = 0.5 }
flag = { error = 0.5 }
raises = { error = 1.0 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.05] }]
"""
BROKEN = """
[problem_options]
broken = true
[[search]]
weighting = "ew"
stages = [{ lr = [0.05] }]
"""


def test_a_problem_that_raises_in_training_fails_its_runs(tmp_path: Path) -> None:
    write_spec(tmp_path, "tired", TIRED, epochs=toy.CALM_CALLS)
    under_way = command(tmp_path, "run", "tired.toml", "--workers", "1", "--json")
    said = command(tmp_path, "run", "tired.toml", "--workers", "1")
    assert (under_way.code, said.code) == (1, 1)
    assert "of the work" in under_way.err
    told = under_way.json
    assert (told["states"]["failed"], told["next"]["command"]) == (2, "weighbridge log tired")
    assert [f"search {name} stopped: {why}." for name, why in told["stopped"].items()] == [
        sentence for sentence in told["remarks"] if "stopped" in sentence
    ]
    assert "0 runs done, 0 diverged, 2 failed, 0 left." in said.text
    assert "search ew stopped: no trial can win: 0 diverged, 1 with failed runs." in said.text
    assert "next: weighbridge log tired" in said.out
    assert "ArithmeticError: this loss is tired" in command(tmp_path, "status", "tired").text


def test_a_problem_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    write_spec(tmp_path, "broken", BROKEN)
    said = command(tmp_path, "run", "broken.toml", "--workers", "1")
    assert said.code == 2
    assert "is gone" in said.err


@pytest.mark.parametrize("args", [["missing.toml"], ["--workers", "0"], ["--help"]])
def test_a_run_that_trains_nothing_leaves_no_process(args: list[str], tmp_path: Path) -> None:
    before = descendants(os.getpid())
    command(tmp_path, "run", *args, warm=False)
    assert descendants(os.getpid()) == before
