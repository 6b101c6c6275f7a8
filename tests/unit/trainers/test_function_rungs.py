"""The call of a training function that waits at a rung."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainers.calling import EPOCHS, ending, epochs
from trainers.events import Event
from trainers.functions import (
    Called,
    FunctionSession,
    Report,
    RunStopped,
    call,
    train_function,
)
from trainers.jobs import Job, Pack, ProblemRef, Training


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
            Called(self._train, call), "loss", "cpu", lambda: stopping and bool(self.said)
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
