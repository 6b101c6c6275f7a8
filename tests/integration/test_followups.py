"""Killed between a parent and its follow-up, or anywhere else, a study ends as if nobody had."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.integration import comparable
from tests.integration.driving import complete, run_with_kills

pytestmark = pytest.mark.slow

STUDY = "followed"
SPEC = """
name = "followed"
problem = "multimnist"
problem_options = { width = 4, train_pairs = 32, validation_pairs = 16, test_pairs = 16 }
tasks = ["left", "sum"]
seeds = [0, 1]
[training]
epochs = 2
batch_size = 16
checkpoint_s = 0
[[search]]
weighting = ["ew", "uw"]
stages = [{ lr = [1e-3, 1e-2] }]
[[followup]]
from = "winners"
kinds = ["contrast", "gaussian_noise"]
severities = [2]
epochs = 2
lr = [1e-2]
"""


def outcome(url: str) -> tuple[object, ...]:
    return comparable.results(url, STUDY), comparable.epochs(url, STUDY)


def test_killed_again_and_again_it_is_the_same(tmp_path: Path) -> None:
    spec = tmp_path / "followed.toml"
    spec.write_text(SPEC)
    calm, killed = (f"sqlite:///{tmp_path / name}" for name in ("calm.db", "killed.db"))
    complete(spec, calm, workers=2)
    run_with_kills(spec, killed, random.Random(7), after=(1, 10))
    assert outcome(killed) == outcome(calm)
    attempts = comparable.attempts(killed, STUDY)
    finished = [run for run, state in attempts if state == "finished" and run is not None]
    assert len(finished) == len(set(finished)), "a run was completed twice"
