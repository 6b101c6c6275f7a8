"""Runs by a training function of one's own, as the events of an engine."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainers.events import CheckpointSkipped, EpochDone, Event, RunEnded
from trainers.functions import (
    FunctionSession,
    Report,
    RunStopped,
    call,
    open_function,
    train_function,
)
from trainers.jobs import Job, Pack, ProblemRef, Training, file_name
from trainers.problems import ProblemError

Train = Callable[[dict[str, Any], int, Path, Report], Any]
EPOCHS = 5


def falling(params: dict[str, Any], seed: int, folder: Path, report: Report) -> None:
    """A loss that falls; goes on where its own file says."""
    state = folder / "state.json"
    first = json.loads(state.read_text()) + 1 if state.exists() else 1
    for step in range(first, EPOCHS + 1):
        state.write_text(json.dumps(step))
        report(step, {"loss": params["lr"] / step, "test_loss": 2.0 / step})


def trained(
    function: Train,
    folder: Path | None = None,
    *,
    until: int = EPOCHS,
    stopping: bool = False,
    recorded: int = 0,
    jobs: int = 1,
) -> list[Event]:
    """The events of a pack of runs with the point ``lr = 1``."""
    begun: list[bool] = []

    def beginning(*args: Any) -> Any:
        begun.append(True)
        return function(*args)

    session = FunctionSession(beginning, call, "loss", "cpu", lambda: stopping and bool(begun))
    pack = Pack(
        problem=ProblemRef(target="m:f"),
        training=Training(epochs=EPOCHS, batch_size=1),
        seed=7,
        until_epoch=until,
        jobs=tuple(
            Job(
                run=run,
                token=3,
                weighting="function",
                tasks=("f",),
                lr=0.0,
                hyper={"lr": 1.0},
                recorded=recorded,
                key=str(run),
            )
            for run in range(1, jobs + 1)
        ),
        checkpoints=None if folder is None else str(folder),
    )
    return list(train_function(pack, session))


def epochs(events: list[Event]) -> list[int]:
    return [event.epoch for event in events if isinstance(event, EpochDone)]


def ending(events: list[Event]) -> RunEnded:
    (last,) = (event for event in events if isinstance(event, RunEnded))
    assert events[-1] is last
    return last


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


class TestRung:
    """A call that waits at its rung goes on there, or ends as a stop ends it."""

    def test_the_runs_next_pack_is_reported_by_the_same_call(self) -> None:
        study = Waiting()
        first, middle, last = (study.events(until=until) for until in (1, 3, EPOCHS))
        assert [epochs(segment) for segment in (first, middle, last)] == [[1], [2, 3], [4, 5]]
        ends = [ending(segment) for segment in (first, middle, last)]
        assert [(end.outcome, end.epoch, end.waits) for end in ends] == [
            ("paused", 1, True),
            ("paused", 3, True),
            ("done", 5, False),
        ]
        assert [{event.token for event in of} for of in (first, middle, last)] == [{1}, {2}, {3}]
        assert study.said == ["begin 1", "end 1"]

    def test_another_run_begins_when_the_call_that_waits_has_ended(self) -> None:
        study = Waiting()
        study.events(until=2)
        assert epochs(study.events(run=2)) == [1, 2, 3, 4, 5]
        assert epochs(study.events(run=1)) == [1, 2, 3, 4, 5], "there is nobody to go on with"
        assert study.said == ["begin 1", "end 1", "begin 2", "end 2", "begin 1", "end 1"]

    def test_a_run_that_is_to_be_released_waits_for_nothing(self) -> None:
        study = Waiting(stopping=True)
        end = ending(study.events(until=1))
        assert (end.outcome, end.waits, study.said) == ("paused", False, ["begin 1", "end 1"])

    def test_what_a_call_raises_when_it_ends_at_its_rung_is_printed(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        study = Waiting(broken=True)
        study.events(until=2)
        study.end()
        assert "ArithmeticError: cannot tidy up" in capfd.readouterr().err
        assert study.session.rung.take() is None

    def test_a_stop_that_is_swallowed_at_a_rung_is_raised_again(self) -> None:
        study = Waiting(swallows=True)
        study.events(until=2)
        study.end()
        assert study.said == ["begin 1", "swallowed", "end 1"]


class Waiting:
    """A session whose packs let calls wait; the function counts its steps by itself."""

    def __init__(
        self, *, stopping: bool = False, broken: bool = False, swallows: bool = False
    ) -> None:
        self.said: list[str] = []
        self._broken, self._swallows, self._token = broken, swallows, 0
        self.session = FunctionSession(
            self._train, call, "loss", "cpu", lambda: stopping and bool(self.said)
        )

    def events(self, *, run: int = 1, until: int = EPOCHS) -> list[Event]:
        """Of the next attempt at a run."""
        self._token += 1
        return list(train_function(waiting_pack(run, self._token, until), self.session))

    def end(self) -> None:
        """End the call that waits."""
        waiting = self.session.rung.take()
        assert waiting is not None
        waiting.end()

    def _train(self, params: Any, seed: int, folder: Path, report: Report) -> None:
        self.said.append(f"begin {params['run']}")
        try:
            for step in range(1, EPOCHS + 1):
                self._reported(report, step)
        finally:
            self.said.append(f"end {params['run']}")
            if self._broken:
                raise ArithmeticError("cannot tidy up")

    def _reported(self, report: Report, step: int) -> None:
        try:
            report(step, {"loss": 1.0 / step})
        except RunStopped:
            if not self._swallows or "swallowed" in self.said:
                raise
            self.said.append("swallowed")


def waiting_pack(run: int, token: int, until: int) -> Pack:
    """An attempt at a run whose call may wait."""
    job = Job(
        run=run,
        token=token,
        weighting="function",
        tasks=("f",),
        lr=0.0,
        hyper={"run": run},
        key=str(run),
    )
    return Pack(
        problem=ProblemRef(target="m:f"),
        training=Training(epochs=EPOCHS, batch_size=1),
        seed=7,
        until_epoch=until,
        jobs=(job,),
        waits_at_rung=True,
    )


class TestJournal:
    """An attempt was killed behind step 3, and the database has heard of step 1 only."""

    @pytest.fixture
    def killed(self, tmp_path: Path) -> Path:
        def train(params: Any, seed: int, folder: Path, report: Report) -> None:
            falling(params, seed, folder, report)

        trained(train, tmp_path, until=3)
        return tmp_path

    def test_skipped_reports_are_told_before_those_that_follow(self, killed: Path) -> None:
        events = trained(falling, killed, recorded=1)
        assert epochs(events) == [2, 3, 4, 5]
        assert isinstance(events[0], EpochDone)
        assert events[0].values[0] == ("validation", "f", "loss", 0.5)

    def test_a_torn_line_is_passed_over(self, killed: Path) -> None:
        (path,) = killed.glob("*.reports")
        path.write_text(path.read_text() + '\n[4, 0.0, [["val')
        assert epochs(trained(falling, killed, recorded=1)) == [2, 3, 4, 5]

    def test_a_function_that_begins_again_is_taken_at_its_word(self, killed: Path) -> None:
        (killed / "run-1" / "state.json").unlink()
        assert epochs(trained(falling, killed, recorded=3)) == [1, 2, 3, 4, 5]


class TestOpening:
    def test_a_function_beside_the_study_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "mine_a.py").write_text("def train(*args):\n    return 1.0\n")
        ref = ProblemRef(
            target="mine_a:train",
            options={"metric": "loss"},
            folder=str(tmp_path),
            caller="trainers.functions:call",
        )
        session = open_function(ref, "cpu")
        assert (session.function(), session.caller, session.metric) == (1.0, call, "loss")

    @pytest.mark.parametrize(
        ("target", "why"),
        [
            ("nowhere_at_all:train", "Module `nowhere_at_all` was not found"),
            ("mine_b:trian", "has no `trian`. Did you mean `train`"),
            ("mine_b:number", "must name a function. `mine_b:number` is 3"),
            ("mine_broken:train", "must import without an error.*ZeroDivisionError"),
        ],
    )
    def test_what_cannot_be_called_is_refused(self, target: str, why: str, tmp_path: Path) -> None:
        (tmp_path / "mine_b.py").write_text("number = 3\ndef train(*args): ...\n")
        (tmp_path / "mine_broken.py").write_text("1 / 0\n")
        ref = ProblemRef(
            target=target,
            options={"metric": "loss"},
            folder=str(tmp_path),
            caller="trainers.functions:call",
        )
        with pytest.raises(ProblemError, match=why):
            open_function(ref, "cpu")
