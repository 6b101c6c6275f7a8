"""A study with stopping rules ends the same on any number of workers, after any number of kills."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.integration import comparable
from tests.integration.command import command
from tests.integration.driving import complete, run_with_kills

pytestmark = pytest.mark.slow

STUDY = "rungs"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 20
batch_size = 4
optimizer = "sgd"
checkpoint_s = 1000
[baseline]
stop = {{ rule = "median", rungs = [10] }}
[[search]]
weighting = "rlw"
[[search.stages]]
lr = [0.003, 0.01, 0.03, 0.1, 0.3, 1e20]
stop = {{ rule = "halving", rungs = [8, 16] }}
[[search]]
weighting = "dwa"
[[search.stages]]
lr = [0.003, 0.3]
stop = {{ rule = "patience", patience = 2, rungs = [4, 8, 12, 16] }}
[[search]]
weighting = "uw-so"
[[search.stages]]
lr = [0.01, 0.1]
[[search.stages]]
temperature = {{ line = [1, 3, 10], refine = 1 }}
stop = {{ rule = "worse-than-cohort", rungs = [5] }}
"""


def test_the_plan_shows_the_rules(spec: Path) -> None:
    said = command(spec.parent, "plan", spec.name).text
    assert "rlw lr grid 6, halving at 8, 16 6 12 240" in said
    assert "→ temperature line 3 + 2, worse-than-cohort at 5 → lr neighbours ≤2" in said


def test_halving_keeps_a_half_at_each_rung(undisturbed: str) -> None:
    of_search = [row for row in comparable.results(undisturbed, STUDY) if row[0] == "rlw"]
    states_by_epochs = sorted((str(row[5]), row[7]) for row in of_search)
    assert states_by_epochs == [
        *[("diverged", 0)] * 2,
        *[("done", 20)] * 4,  # 2 of 3, rounded up
        *[("pruned", 8)] * 4,  # 2 of 5
        *[("pruned", 16)] * 2,
    ]


def test_a_run_without_progress_ends_early_and_is_done(undisturbed: str) -> None:
    of_search = [row for row in comparable.results(undisturbed, STUDY) if row[0] == "dwa"]
    assert {row[5] for row in of_search} == {"done"}
    epochs = [int(str(row[7])) for row in of_search]
    assert set(epochs) <= {4, 8, 12, 16, 20}
    assert min(epochs) < 20


def test_what_is_pruned_is_paid_and_has_no_result(undisturbed: str) -> None:
    pruned = [row for row in comparable.results(undisturbed, STUDY) if row[5] == "pruned"]
    assert pruned
    assert all(row[-1] == 3 * epochs for row in pruned if isinstance(epochs := row[7], int))
    assert {row[8:12] for row in pruned} == {(None, None, None, None)}


def test_on_two_workers_and_killed_again_and_again_it_ends_the_same(
    spec: Path, undisturbed: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    run_with_kills(spec, url, random.Random(1), after=(1, 20))
    assert_equal(url, undisturbed)
    assert "lost" in {state for _, state in comparable.attempts(url, STUDY)}
    assert not comparable.checkpoint_files(tmp_path), (
        "checkpoints of finished runs were left behind"
    )


def test_finished_it_trains_nothing_again(spec: Path, undisturbed: str) -> None:
    before = comparable.attempts(undisturbed, STUDY)
    complete(spec, undisturbed)
    assert comparable.attempts(undisturbed, STUDY) == before


def assert_equal(url: str, undisturbed: str) -> None:
    assert comparable.results(url, STUDY) == comparable.results(undisturbed, STUDY)
    assert comparable.epochs(url, STUDY) == comparable.epochs(undisturbed, STUDY)
    assert comparable.decisions(url, STUDY) == comparable.decisions(undisturbed, STUDY)
    assert comparable.networks(url, STUDY) == comparable.networks(undisturbed, STUDY)
