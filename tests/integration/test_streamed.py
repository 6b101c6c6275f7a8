"""A study of one's own problem with data that is decoded per batch, through the local driver."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from storage import Reader
from study.planning.packs import shapes_of
from study.planning.plan import make_plan
from study.spec.study_spec import read
from tests import toy
from tests.integration.command import Said, command

HERE = Path(__file__).parent
NOTES = "passes.txt"
SPEC = """
name = "decoded"
problem = "decoded:Decoded"
problem_options = {{ streamed = {streamed}, dropout = 0.25 }}
seeds = [3]
[training]
epochs = 2
batch_size = 4
engine = "solo"
{training}
[baseline.metrics]
level = {{ error = 1.0 }}
kind = {{ error = 0.5 }}
flag = {{ error = 0.5 }}
[[search]]
weighting = "ew"
stages = [{{ lr = [0.01, 0.02, 0.05, 0.1] }}]
"""


def write(folder: Path, *, streamed: str = "true", training: str = "") -> Path:
    (folder / "decoded.toml").write_text(SPEC.format(streamed=streamed, training=training))
    shutil.copy(toy.__file__, folder / "toy.py")
    shutil.copy(HERE / "decoded.py", folder / "decoded.py")
    return folder


def run(folder: Path) -> Said:
    said = command(folder, "run", "decoded.toml", "--workers", "1")
    assert said.code == 0, said.text + said.err
    return said


def rows(folder: Path, view: str) -> list[dict[str, Any]]:
    reader = Reader(f"sqlite:///{folder / 'weighbridge.db'}")
    try:
        names, found = reader.view(view, "decoded")
    finally:
        reader.close()
    return [dict(zip(names, row, strict=True)) for row in found]


def passes(folder: Path) -> list[int]:
    """How often the training data was read in each epoch of the study's runs.

    Once more in the first one, for the search's canary.
    """
    read_for = Counter((folder / NOTES).read_text().splitlines())
    return [read_for["3/augment/1"] - 1, read_for["3/augment/2"]]


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in packs of a size that the spec gives."""
    folder = write(tmp_path_factory.mktemp("by_hand"), training="pack_size = 4")
    run(folder)
    return folder


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in packs of a size that is found."""
    folder = write(tmp_path_factory.mktemp("calibrated"))
    run(folder)
    return folder


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same study on sources that do not say that they are streamed."""
    folder = write(tmp_path_factory.mktemp("one_by_one"), streamed="false")
    run(folder)
    return folder


def test_a_pack_reads_the_data_once_an_epoch(by_hand: Path) -> None:
    assert passes(by_hand) == [1, 1]


def test_its_runs_share_the_time_equally(by_hand: Path) -> None:
    attempts = [row for row in rows(by_hand, "attempt_costs") if row["kind"] == "run"]
    assert len(attempts) == 4
    assert len({row["train_s"] for row in attempts}) == 1


def test_what_each_would_cost_alone_is_kept_beside_it(by_hand: Path) -> None:
    for row in rows(by_hand, "run_results"):
        assert row["solo_cost_s"] > 0
        assert row["solo_cost_s"] != row["method_cost_s"]


def test_the_size_that_was_found_is_in_the_database(calibrated: Path) -> None:
    plan = make_plan(read(calibrated / "decoded.toml"), folder=str(calibrated))
    shape = shapes_of(plan, "solo")[plan.card.task_names]
    reader = Reader(f"sqlite:///{calibrated / 'weighbridge.db'}")
    try:
        (found,) = reader.calibrations(shape)
    finally:
        reader.close()
    assert set(found.run_step_ms) == {1, 2, 4}
    assert found.pack_size in (2, 4)
    n_packs = 4 // found.pack_size
    assert passes(calibrated) == [n_packs, n_packs]


def test_plan_tells_the_size(calibrated: Path) -> None:
    text = command(calibrated, "plan", "decoded.toml").text
    assert "engine: solo" in text
    assert "in packs of at most" in text


def test_a_look_tells_of_packs_before_anything_has_run(one_by_one: Path, tmp_path: Path) -> None:
    fresh = command(write(tmp_path), "plan", "decoded.toml", "--probe").text
    assert "in packs, sized by calibration at the start" in fresh
    assert "one by one" in command(one_by_one, "plan", "decoded.toml", "--probe").text


def test_every_number_is_that_of_runs_trained_one_after_the_other(
    by_hand: Path, one_by_one: Path
) -> None:
    assert passes(one_by_one) == [4, 4]
    found, expected = (numbers(folder) for folder in (by_hand, one_by_one))
    assert found == expected
    assert len(found) == 4 * 2 * (3 * 2 * 3)


def numbers(folder: Path) -> dict[tuple[Any, ...], float]:
    params = {row["run"]: row["params"] for row in rows(folder, "run_results")}
    return {
        (params[row["run"]], *(row[name] for name in ("epoch", "split", "task", "metric"))): row[
            "value"
        ]
        for row in rows(folder, "epoch_metrics")
    }
