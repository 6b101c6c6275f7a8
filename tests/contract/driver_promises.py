"""Promises of `study.drivers.protocol.Driver`, one test each; drivers override the fixtures."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import tests
from study.drivers import Driver, DriverEvent, FromWorker, Loss, WorkerLost
from tests.packs import a_job, a_pack
from trainers.events import (
    Beat,
    Calibrated,
    CheckpointWritten,
    EpochDone,
    Message,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
    StepsTimed,
)
from trainers.jobs import Calibrate, Pack, ProblemRef, TimeSteps, Training

OpenDriver = Callable[[ProblemRef, Sequence[str]], Driver]

TOY = ProblemRef(
    target="toy:Toy",
    folder=str(Path(tests.__path__[0])),
    options={"troubles": ("raises", "exits", "prints")},
)
BROKEN = replace(TOY, options={"broken": True})
ENDLESS = 10_000_000
"""Epochs of a run that the test ends."""
DEADLINE_S = 300.0
"""A driver that has said nothing for so long is broken, on the busiest machine."""


class Listener:
    """Collects what a driver with one worker says, beats left out."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.worker = -1
        self._heard: list[DriverEvent] = []

    def hear(self, last: Callable[[DriverEvent], bool]) -> list[DriverEvent]:
        """All events up to the first for which `last` holds."""
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            for place, event in enumerate(self._heard, start=1):
                if last(event):
                    said, self._heard = self._heard[:place], self._heard[place:]
                    return said
            assert time.monotonic() < deadline_s, f"waited in vain, heard only {self._heard}"
            self._heard += [e for e in self.driver.poll(0.1) if not says(Beat)(e)]

    def hear_opening(self) -> Message:
        """The first message of a new worker."""
        (first,) = self.hear(lambda _event: True)
        assert isinstance(first, FromWorker)
        self.worker = first.worker
        return first.message

    def train(self, pack: Pack) -> list[Message]:
        """What the worker says of a pack, from first to last."""
        self.driver.submit(self.worker, pack)
        return messages(self.hear(says(PackEnded)))

    def lose(self, pack: Pack, *, kill: bool) -> tuple[list[Message], WorkerLost]:
        """Let the worker die over a pack, by a kill if need be, and put a successor in its place.

        Returns:
            Its last messages, and how the driver says that it ended.
        """
        self.driver.submit(self.worker, pack)
        said = self.hear(says(EpochDone))
        if kill:
            os.kill(self.driver.pid(self.worker), signal.SIGKILL)
        said += self.hear(lambda event: isinstance(event, WorkerLost))
        lost = said.pop()
        assert isinstance(lost, WorkerLost)
        self.driver.replace(lost.worker)
        assert isinstance(self.hear_opening(), Ready)
        return messages(said), lost


def says(kind: type[Message]) -> Callable[[DriverEvent], bool]:
    """Whether an event is a worker's message of a kind."""
    return lambda event: isinstance(event, FromWorker) and isinstance(event.message, kind)


def messages(events: Sequence[DriverEvent]) -> list[Message]:
    return [event.message for event in events if isinstance(event, FromWorker)]


def told_of(said: Sequence[Message], run: int) -> list[Message]:
    return [message for message in said if getattr(message, "run", None) == run]


class DriverContract:
    """What every driver does; its workers are real processes, shared by the tests of a class."""

    @pytest.fixture(scope="class")
    @classmethod
    def open_driver(cls) -> OpenDriver:
        """Starts a driver; whoever calls it closes what it gives."""
        raise NotImplementedError("Override the `open_driver` fixture in your subclass.")

    @pytest.fixture(scope="class")
    @classmethod
    def listener(cls, open_driver: OpenDriver) -> Iterator[Listener]:
        with closing(open_driver(TOY, ["cpu"])) as driver:
            yield Listener(driver)

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def first_word(cls, listener: Listener) -> Message:
        return listener.hear_opening()

    @pytest.fixture(scope="class")
    @classmethod
    def killed(cls, listener: Listener) -> tuple[int, WorkerLost]:
        """Number of a worker that was killed, and how the driver says so."""
        worker = listener.worker
        _, lost = listener.lose(a_pack(a_job(1), epochs=ENDLESS), kill=True)
        return worker, lost

    @pytest.fixture(scope="class")
    @classmethod
    def exited(cls, listener: Listener) -> tuple[list[Message], WorkerLost]:
        """Messages of a worker that ended itself after four epochs, and how the driver says so."""
        pack = a_pack(a_job(1, tasks=("exits",)), epochs=9, batch_size=12)
        return listener.lose(pack, kill=False)

    def test_a_worker_times_steps_when_asked(self, listener: Listener) -> None:
        training = Training(epochs=1, batch_size=6)
        wanted = Calibrate(problem=TOY, training=training, shapes=(("level",),), most=2)
        listener.driver.calibrate(listener.worker, wanted)
        *_, last = messages(listener.hear(says(Calibrated)))
        assert isinstance(last, Calibrated)
        assert (last.failure, [shape.tasks for shape in last.shapes]) == ("", [("level",)])

    def test_a_worker_times_steps_of_several_runs_in_turn(self, listener: Listener) -> None:
        jobs = (a_job(1), replace(a_job(2), weighting="pcgrad"))
        training = Training(epochs=1, batch_size=6)
        wanted = TimeSteps(problem=TOY, training=training, jobs=jobs, sweeps=2, limit_s=60.0)
        listener.driver.calibrate(listener.worker, wanted)
        *_, last = messages(listener.hear(says(StepsTimed)))
        assert isinstance(last, StepsTimed)
        assert [set(sweep) for sweep in last.sweeps] == [{1, 2}, {1, 2}]

    def test_a_worker_says_what_decides_the_engine(self, first_word: Message) -> None:
        assert isinstance(first_word, Ready)
        assert not first_word.network.convolutional

    def test_the_first_word_is_ready(self, first_word: Message) -> None:
        assert isinstance(first_word, Ready)
        assert first_word.startup_s > 0
        assert "package:torch" in first_word.environment

    def test_a_worker_beats(self, listener: Listener) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not any(says(Beat)(event) for event in listener.driver.poll(0.1)):
            assert time.monotonic() < deadline_s, "the worker does not beat"

    def test_a_packs_events_come_in_order(self, listener: Listener) -> None:
        said = listener.train(a_pack(a_job(1), a_job(2), epochs=3))
        for run in (1, 2):
            epochs = [m.epoch for m in told_of(said, run) if isinstance(m, EpochDone)]
            assert epochs == [1, 2, 3]

    def test_each_run_ends_once_and_the_pack_last(self, listener: Listener) -> None:
        said = listener.train(a_pack(a_job(1), a_job(2), epochs=3))
        for run in (1, 2):
            ends = [isinstance(m, RunEnded) for m in told_of(said, run)]
            assert ends == [False] * 3 + [True]
        assert said[-1] == PackEnded()

    def test_an_exception_is_an_event(self, listener: Listener) -> None:
        said = listener.train(a_pack(a_job(1, tasks=("raises",)), a_job(2), epochs=9))
        failed, done = (message for message in said if isinstance(message, RunEnded))
        assert (failed.run, failed.outcome, done.run, done.outcome) == (1, "failed", 2, "done")
        assert "ArithmeticError: this loss is tired" in failed.reason

    def test_a_problem_may_print(self, listener: Listener) -> None:
        said = listener.train(a_pack(a_job(1, tasks=("prints",))))
        assert [m.outcome for m in said if isinstance(m, RunEnded)] == ["done"]

    def test_an_interrupt_does_not_reach_the_worker(self, listener: Listener) -> None:
        os.kill(listener.driver.pid(listener.worker), signal.SIGINT)
        said = listener.train(a_pack(a_job(1)))
        assert [m.outcome for m in said if isinstance(m, RunEnded)] == ["done"]

    def test_stop_releases_with_a_checkpoint(self, listener: Listener, tmp_path: Path) -> None:
        pack = a_pack(a_job(1), epochs=ENDLESS, checkpoints=tmp_path)
        listener.driver.submit(listener.worker, pack)
        listener.hear(says(EpochDone))
        listener.driver.stop()
        said = messages(listener.hear(says(PackEnded)))
        (saved,) = [m.checkpoint for m in said if isinstance(m, CheckpointWritten)]
        (end,) = [m for m in said if isinstance(m, RunEnded)]
        assert (end.outcome, end.epoch) == ("released", saved.epoch)
        assert Path(saved.path).exists()

    def test_a_stopped_worker_takes_the_next_pack(self, listener: Listener) -> None:
        listener.driver.stop()
        said = listener.train(a_pack(a_job(1)))
        assert [m.outcome for m in said if isinstance(m, RunEnded)] == ["done"]

    def test_a_killed_worker_is_lost(self, killed: tuple[int, WorkerLost]) -> None:
        worker, lost = killed
        assert lost.worker == worker

    def test_a_successor_has_a_number_of_its_own(
        self, listener: Listener, killed: tuple[int, WorkerLost]
    ) -> None:
        assert listener.worker != killed[0]

    def test_a_successor_works(self, listener: Listener, killed: tuple[int, WorkerLost]) -> None:
        said = listener.train(a_pack(a_job(1)))
        assert [m.outcome for m in said if isinstance(m, RunEnded)] == ["done"]

    def test_what_a_lost_worker_said_before_is_heard(
        self, exited: tuple[list[Message], WorkerLost]
    ) -> None:
        assert [m.epoch for m in exited[0] if isinstance(m, EpochDone)] == [1, 2, 3, 4]

    def test_a_loss_names_the_signal(self, killed: tuple[int, WorkerLost]) -> None:
        assert killed[1].reason.startswith("signal SIGKILL")
        assert killed[1].loss is Loss.WORKER

    def test_a_loss_tells_exit_code_and_last_lines(
        self, exited: tuple[list[Message], WorkerLost]
    ) -> None:
        reason = exited[1].reason
        assert (reason.splitlines()[0], reason.splitlines()[-1]) == (
            "exit code 3",
            "the last words",
        )

    @pytest.mark.parametrize(
        ["problem", "message"],
        [
            (ProblemRef(target="no_such_module:Toy"), "no_such_module"),
            (BROKEN, "RuntimeError: the data on cpu is gone"),
        ],
        ids=["module", "data"],
    )
    def test_a_problem_that_does_not_open_is_told(
        self, open_driver: OpenDriver, problem: ProblemRef, message: str
    ) -> None:
        with closing(open_driver(problem, ["cpu"])) as driver:
            opening = Listener(driver).hear_opening()
        assert isinstance(opening, OpenFailed)
        assert message in opening.message
