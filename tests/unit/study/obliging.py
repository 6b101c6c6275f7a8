"""A driver that trains in this process, and what studies of tests ask."""

from __future__ import annotations

import os
from collections.abc import Iterator

from study.drivers import DriverEvent, FromWorker
from study.planning.plan import Plan
from tests.unit.study.fake_trainer import EPOCHS
from trainers.events import (
    Calibrated,
    EpochDone,
    Event,
    NetworkFacts,
    PackEnded,
    Ready,
    RunEnded,
    Seconds,
    ShapeTimes,
    StepsTimed,
)
from trainers.failures import OUT_OF_MEMORY
from trainers.jobs import Calibrate, Job, Pack, TimeSteps

METRICS = {"left": {"error_rate": 2.0}, "right": {"error_rate": 2.0}, "sum": {"mae": 2.0}}
EW = {"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}]}
MOST_POLLS = 5_000
"""A study here takes a hundred."""


class Obliging:
    """A driver with one worker, in this process, that trains whatever it is given.

    Args:
        slow: Polls that pass before the worker has ended a pack.
        room: Runs that fit into its memory at once; larger packs fail.

    Attributes:
        packs: Sizes of the packs it was given.
    """

    def __init__(self, plan: Plan, *, slow: int = 0, room: int = 99) -> None:
        self._plan, self._slow, self._room = plan, slow, room
        self.packs: list[int] = []
        self._events: list[DriverEvent] = []
        self._polls = self._ready_at = 0

    @property
    def size(self) -> int:
        return 1

    def start(self, *, code: str = "", looked: bool = False) -> None:
        network = NetworkFacts(convolutional=False, obstacle="")
        ready = Ready(startup_s=0.0, environment={"device": "cpu"}, network=network)
        self._events.append(FromWorker(0, ready))

    def pid(self, worker: int) -> int:
        return os.getpid()

    def submit(self, worker: int, pack: Pack) -> None:
        self._ready_at = self._polls + self._slow
        self.packs.append(len(pack.jobs))
        train = self._trained if len(pack.jobs) <= self._room else self._fallen
        for job in pack.jobs:
            self._events += [FromWorker(worker, event) for event in train(job)]
        self._events.append(FromWorker(worker, PackEnded()))

    def calibrate(self, worker: int, wanted: Calibrate | TimeSteps) -> None:
        if isinstance(wanted, TimeSteps):
            sweep = {job.run: 4.0 for job in wanted.jobs}
            self._events.append(FromWorker(worker, StepsTimed(sweeps=(sweep,), seconds=0.5)))
            return
        times = [
            ShapeTimes(tasks=tasks, epoch_s=4.0, run_step_ms={1: 1.0}, pack_size=1)
            for tasks in wanted.shapes
        ]
        self._events.append(FromWorker(worker, Calibrated(shapes=tuple(times), seconds=0.5)))

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        self._polls += 1
        assert self._polls < MOST_POLLS, "the study never ends"
        if self._polls < self._ready_at:
            return []
        events, self._events = self._events, []
        return events

    def kill(self, worker: int) -> None:
        raise AssertionError("nothing hangs here")

    def replace(self, worker: int) -> None:
        raise AssertionError("nobody is lost here")

    def stop(self) -> None:
        raise AssertionError("nobody interrupts")

    def close(self) -> None:
        self._events.clear()

    def _trained(self, job: Job) -> Iterator[Event]:
        names = [(task, metric) for task, metric, _ in self._plan.metrics]
        for epoch in range(1, EPOCHS + 1):
            yield EpochDone(
                run=job.run,
                token=job.token,
                epoch=epoch,
                values=tuple(
                    (split, *name, 1.0) for split in ("validation", "test") for name in names
                ),
                seconds=Seconds(),
                samples=8,
                grad_evals=1,
            )
        yield RunEnded(
            run=job.run, token=job.token, outcome="done", epoch=EPOCHS, seconds=Seconds()
        )

    def _fallen(self, job: Job) -> Iterator[Event]:
        yield RunEnded(
            run=job.run,
            token=job.token,
            outcome="failed",
            epoch=0,
            seconds=Seconds(train_s=1.0),
            failure=OUT_OF_MEMORY,
        )
