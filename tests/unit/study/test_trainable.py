"""Function trainables of Ray Tune, unchanged, as training functions; no cluster is begun."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import tune
from ray.train._internal.session import get_session

from study.drivers.ray_tune.trainable import call
from trainers.functions import Report, RunStopped
from trainers.functions._report import Reported


def trainable(config: dict[str, Any]) -> None:
    """The kind that stands in Ray Tune's guide: it saves and restores its own state."""
    first, loss = 1, 8.0
    if checkpoint := tune.get_checkpoint():
        with checkpoint.as_directory() as folder:
            first, loss = json.loads((Path(folder) / "state.json").read_text())
    for step in range(first, 5):
        loss = loss / 2 + config["lr"]
        with tempfile.TemporaryDirectory() as aside:
            (Path(aside) / "state.json").write_text(json.dumps([step + 1, loss]))
            tune.report(
                {"loss": loss, "note": "fine", "step": step},
                checkpoint=tune.Checkpoint.from_directory(aside),
            )


def run(function: Any, folder: Path, *, until: int = 9) -> list[Reported]:
    said: list[Reported] = []
    report = Report("loss", said.append, until=until, last=9, stop_requested=lambda: False)
    try:
        call(function, {"lr": 0.1}, 7, folder, report)
    except RunStopped:
        assert report.why == "paused"
    return said


def losses(said: list[Reported]) -> list[float]:
    return [value for one in said for _, name, value in one.values if name == "loss"]


def test_a_trainable_reports_step_by_step(tmp_path: Path) -> None:
    said = run(trainable, tmp_path)
    assert [one.step for one in said] == [1, 2, 3, 4]
    assert losses(said) == pytest.approx([4.1, 2.15, 1.175, 0.6875])
    assert not ray.is_initialized()


def test_only_numbers_are_reported(tmp_path: Path) -> None:
    names = {name for one in run(trainable, tmp_path) for _, name, _ in one.values}
    assert names == {"loss", "step"}


def test_it_goes_on_from_its_own_checkpoint(tmp_path: Path) -> None:
    assert [one.step for one in run(trainable, tmp_path, until=2)] == [1, 2]
    rest = run(trainable, tmp_path)
    assert [one.step for one in rest] == [3, 4]
    assert losses(rest) == pytest.approx([1.175, 0.6875])


def test_a_checkpoint_that_was_being_replaced_is_not_lost(tmp_path: Path) -> None:
    run(trainable, tmp_path, until=2)
    (tmp_path / "checkpoint").rename(tmp_path / "checkpoint.old")
    assert [one.step for one in run(trainable, tmp_path)] == [3, 4]


def test_without_a_checkpoint_it_begins_again(tmp_path: Path) -> None:
    def plain(config: dict[str, Any]) -> None:
        for step in range(3):
            tune.report({"loss": config["lr"] * step})

    run(plain, tmp_path, until=2)
    assert [one.step for one in run(plain, tmp_path)] == [1, 2, 3]


def test_it_may_return_its_metrics(tmp_path: Path) -> None:
    assert losses(run(lambda config: {"loss": config["lr"]}, tmp_path)) == [0.1]


def test_config_and_context_say_which_run_it_is(tmp_path: Path) -> None:
    got: list[Any] = []

    def curious(config: dict[str, Any]) -> dict[str, float]:
        context = tune.get_context()
        got.extend([config, context.get_trial_dir(), context.get_trial_name()])
        return {"loss": 1.0}

    run(curious, tmp_path / "run3")
    assert got == [{"seed": 7, "lr": 0.1}, str(tmp_path / "run3"), "run3"]


def test_the_session_ends_with_the_run(tmp_path: Path) -> None:
    run(trainable, tmp_path)
    assert get_session() is None
