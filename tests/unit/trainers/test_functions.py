"""Runs by a training function of one's own, as the events of an engine."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.trainers.calling import EPOCHS, ending, epochs, falling, trained
from trainers.events import CheckpointSkipped, EpochDone, RunEnded
from trainers.functions import (
    Report,
    RunStopped,
)
from trainers.jobs import file_name


def test_reports_are_epochs_and_the_end_is_told() -> None:
    events = trained(falling)
    assert epochs(events) == [1, 2, 3, 4, 5]
    assert isinstance(events[1], EpochDone)
    assert events[1].values == (("validation", "f", "loss", 0.5), ("test", "f", "loss", 1.0))
    assert (ending(events).outcome, ending(events).epoch) == ("done", 5)


def test_a_function_gets_its_point_seed_and_folder(tmp_path: Path) -> None:
    got: list[Any] = []

    def train(params: Any, seed: int, folder: Path, report: Report) -> float:
        got.extend([params, seed, folder, folder.is_dir()])
        return 1.0

    trained(train, tmp_path)
    assert got == [{"lr": 1.0}, 7, tmp_path / "run-1", True]


def test_a_function_may_return_what_it_never_reports() -> None:
    for returned in (0.25, {"loss": 0.25}, np.float32(0.25), torch.tensor(0.25)):
        events = trained(lambda *_, value=returned: value)
        assert isinstance(events[0], EpochDone)
        assert events[0].values == (("validation", "f", "loss", 0.25),)
        assert ending(events).outcome == "done"


@pytest.mark.parametrize("returned", [(0.25, 8), [0.25, 8], {"loss": 0.25, "size": 8}])
def test_one_of_several_objectives_may_return_them(returned: Any) -> None:
    events = trained(lambda *_: returned, others=("size",))
    assert isinstance(events[0], EpochDone)
    assert events[0].values == (("validation", "f", "loss", 0.25), ("validation", "f", "size", 8.0))


@pytest.mark.parametrize("returned", [0.25, (0.25,), {"loss": 0.25}])
def test_one_of_several_objectives_that_lacks_one_fails(returned: Any) -> None:
    end = ending(trained(lambda *_: returned, others=("size",)))
    assert end.outcome == "failed"
    assert "'loss', 'size'" in end.reason


def test_a_run_diverges_by_any_of_its_objectives() -> None:
    end = ending(trained(lambda *_: (0.25, math.nan), others=("size",)))
    assert end.outcome == "diverged"
    assert "metric loss or size was not finite" in end.reason


def test_what_is_returned_after_reports_counts_for_nothing() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> float:
        report(1, {"loss": 1.0})
        return 0.0

    assert epochs(trained(train)) == [1]


def test_a_rung_pauses_a_run_that_then_goes_on_in_its_folder(tmp_path: Path) -> None:
    first = trained(falling, tmp_path, until=2)
    assert (epochs(first), ending(first).outcome, ending(first).epoch) == ([1, 2], "paused", 2)
    rest = trained(falling, tmp_path, recorded=2)
    assert (epochs(rest), ending(rest).outcome) == ([3, 4, 5], "done")


def test_code_behind_the_last_report_is_run(tmp_path: Path) -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        falling(params, seed, folder, report)
        (folder / "model").touch()

    trained(train, tmp_path)
    assert (tmp_path / "run-1" / "model").exists()


def test_more_reports_than_epochs_end_the_run() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        for step in range(1, 1000):
            report(step, {"loss": 1.0})

    events = trained(train)
    assert (epochs(events), ending(events).outcome) == ([1, 2, 3, 4, 5], "done")


def test_the_wish_to_stop_releases_a_run() -> None:
    events = trained(falling, stopping=True)
    assert (epochs(events), ending(events).outcome, ending(events).epoch) == ([1], "released", 1)


def test_except_exception_does_not_hold_a_stop_up() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        for step in range(1, EPOCHS + 1):
            try:
                report(step, {"loss": 1.0})
            except Exception:
                continue

    assert epochs(trained(train, until=2)) == [1, 2]


def test_a_stop_that_is_swallowed_is_raised_again() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        for step in range(1, EPOCHS + 1):
            try:
                report(step, {"loss": 1.0})
            except RunStopped:
                continue

    events = trained(train, until=2)
    assert (epochs(events), ending(events).outcome) == ([1, 2], "paused")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_not_finite_is_a_divergence(value: float) -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        report(1, {"loss": 1.0})
        report(2, {"loss": value})

    events = trained(train)
    assert epochs(events) == [1]
    assert (ending(events).outcome, ending(events).epoch) == ("diverged", 1)
    assert ending(events).reason == "In epoch 2 the metric loss was not finite."


def test_other_metrics_that_are_not_finite_are_left_out() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        report(1, {"loss": 1.0, "ratio": math.nan})

    events = trained(train)
    assert isinstance(events[0], EpochDone)
    assert events[0].values == (("validation", "f", "loss", 1.0),)


def test_an_exception_fails_its_run_and_the_next_one_is_trained() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        report(1, {"loss": 1.0})
        if not done:
            done.append(1)
            raise ArithmeticError("tired")

    done: list[int] = []
    events = trained(train, jobs=2)
    first, second = (event for event in events if isinstance(event, RunEnded))
    assert (first.outcome, first.failure, first.epoch) == ("failed", "ArithmeticError", 1)
    assert "tired" in first.reason and "in train" in first.detail
    assert (second.run, second.outcome) == (2, "done")


def test_reports_that_cannot_be_written_down_fail_no_run(tmp_path: Path) -> None:
    """What is written down is only for a kill in the very moment."""

    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        report(1, {"loss": 1.0})

    (tmp_path / f"{file_name('1')}.reports").mkdir()
    skipped, epoch, end = trained(train, tmp_path)
    assert isinstance(skipped, CheckpointSkipped)
    assert "Is a directory" in skipped.reason
    assert isinstance(epoch, EpochDone)
    assert isinstance(end, RunEnded)
    assert end.outcome == "done"


def test_a_folder_that_cannot_be_made_fails_its_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", Path("/proc/none")):
        end = ending(trained(falling, place))
        assert (end.outcome, end.failure) == ("failed", "NoFolder")
        assert f"In {place} none can be made" in end.reason


def test_an_exit_is_a_failure() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        raise SystemExit(3)

    assert ending(trained(train)).failure == "SystemExit"


@pytest.mark.parametrize(
    ("step", "metrics", "why"),
    [
        (1, {"accuracy": 1.0}, "Every report holds the metric 'loss'.*Got {'accuracy': 1.0}"),
        (1, 0.5, "Every report holds the metric 'loss'.*Got 0.5"),
        (1, {"loss": "low"}, "one number. Got 'low' for 'loss'"),
        (1, {"loss": 1.0, "all": [1, 2]}, r"one number. Got \[1, 2\] for 'all'"),
        (0, {"loss": 1.0}, "rise from 1. Got 0 after 0"),
        (1.0, {"loss": 1.0}, "rise from 1. Got 1.0 after 0"),
    ],
)
def test_reports_that_break_a_rule_fail_the_run(step: Any, metrics: Any, why: str) -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        report(step, metrics)

    events = trained(train)
    assert ending(events).failure == "BadReport"
    assert re.search(why, ending(events).reason)


def test_a_run_without_a_report_fails() -> None:
    events = trained(lambda *_: None)
    assert ending(events).failure == "BadReport"
    assert "at least once, or returns it" in ending(events).reason


class TestWhatIsCounted:
    def test_rounds_phases_and_counts_go_with_the_report(self) -> None:
        def train(_params: Any, _seed: int, _folder: Path, report: Report) -> None:
            with report.phase("validation"):
                pass
            report(1, {"loss": 1.0}, samples=8, grad_evals=2, flops=3.5)
            report(2, {"loss": 1.0}, round=2)

        first, second, _ = trained(train)
        assert isinstance(first, EpochDone)
        assert isinstance(second, EpochDone)
        assert (first.samples, first.grad_evals, first.flops, first.round) == (8, 2, 3.5, 1)
        assert (second.samples, second.round) == (0, 2)
        assert first.seconds.validation_s > 0.0 == second.seconds.validation_s

    def test_what_happens_behind_the_last_report_is_paid_for_by_phase(self) -> None:
        def train(_params: Any, _seed: int, _folder: Path, report: Report) -> None:
            report(1, {"loss": 1.0})
            with report.phase("diagnostics"):
                pass

        assert ending(trained(train)).seconds.diagnostics_s > 0.0

    @pytest.mark.parametrize(
        ("more", "why"),
        [
            ({"round": 0}, "Rounds are whole numbers"),
            ({"round": True}, "Rounds are whole numbers"),
            ({"samples": 1.5}, "`samples` of a report must be a whole number"),
            ({"grad_evals": -1}, "`grad_evals` of a report must be a whole number"),
            ({"flops": math.inf}, "`flops` of a report must be a number"),
        ],
    )
    def test_what_is_no_count_fails(self, more: dict[str, Any], why: str) -> None:
        def train(_params: Any, _seed: int, _folder: Path, report: Report) -> None:
            report(1, {"loss": 1.0}, **more)

        end = ending(trained(train))
        assert end.outcome == "failed"
        assert why in end.reason

    def test_rounds_never_fall(self) -> None:
        def train(_params: Any, _seed: int, _folder: Path, report: Report) -> None:
            report(1, {"loss": 1.0}, round=2)
            report(2, {"loss": 1.0}, round=1)

        assert "never fall" in ending(trained(train)).reason

    def test_an_unknown_phase_is_refused(self) -> None:
        def train(_params: Any, _seed: int, _folder: Path, report: Report) -> None:
            with report.phase("training"):  # type: ignore[arg-type]
                pass

        assert "phases beside training are validation" in ending(trained(train)).reason

    def test_a_run_that_diverges_does_so_in_its_round(self) -> None:
        def train(_params: Any, _seed: int, _folder: Path, report: Report) -> None:
            report(1, {"loss": math.nan}, round=2)

        assert (ending(trained(train)).outcome, ending(trained(train)).round) == ("diverged", 2)
