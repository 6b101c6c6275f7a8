"""A population ends the same on any number of workers, after kills."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.integration import comparable
from tests.integration.driving import run_with_kills

pytestmark = pytest.mark.slow

STUDY = "population"
EPOCHS = 12
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = {EPOCHS}
batch_size = 4
optimizer = "sgd"
checkpoint_s = 1000
[[search]]
weighting = "scalarization"
[[search.stages]]
lr = {{ log_range = [0.003, 0.3] }}
task_weights = {{ dirichlet = 6, floor = 0.05 }}
weight_decay = [0.0, 0.001, 0.01]
strategy = "random"
trials = 6
stop = {{ rule = "pbt", rungs = [4, 8], quantile_fraction = 0.34 }}
[[search]]
weighting = "uw-so"
[[search.stages]]
lr = [0.01, 0.1, 1e20]
temperature = {{ line = [1, 10] }}
stop = {{ rule = "pbt", rungs = [5] }}
"""


def test_children_pay_for_their_own_epochs_only(undisturbed: str) -> None:
    rows = [row for row in comparable.results(undisturbed, STUDY) if row[0] == "scalarization"]
    grad_evals = {}
    for row in rows:
        origin = json.loads(str(row[2])).get("from")
        born = 0 if origin is None else origin["epoch"]
        assert isinstance(row[7], int)
        grad_evals[row[1], row[3]] = (row[-1], 3 * (row[7] - born))
    assert all(paid == own for paid, own in grad_evals.values())
    n_members, n_seeds = 6, 2
    assert sum(own for _, own in grad_evals.values()) == 3 * n_members * n_seeds * EPOCHS


def test_on_two_workers_and_killed_it_ends_the_same(
    spec: Path, undisturbed: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    run_with_kills(spec, url, random.Random(1), after=[8])
    assert comparable.results(url, STUDY) == comparable.results(undisturbed, STUDY)
    assert comparable.epochs(url, STUDY) == comparable.epochs(undisturbed, STUDY)
    assert comparable.decisions(url, STUDY) == comparable.decisions(undisturbed, STUDY)
    assert comparable.networks(url, STUDY) == comparable.networks(undisturbed, STUDY)
    assert "lost" in {state for _, state in comparable.attempts(url, STUDY)}
    assert not comparable.checkpoint_files(tmp_path), (
        "checkpoints of finished runs were left behind"
    )
