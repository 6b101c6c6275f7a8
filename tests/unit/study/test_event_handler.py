"""What becomes of workers that report, and of such as die."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from storage import Storage
from storage.records import Holder
from study.drivers import DriverEvent, FromWorker, Loss, WorkerLost
from study.errors import WorkersUnusable
from study.running import event_handler
from study.running.engine_state import EngineState
from study.running.epoch_timings import EpochTimings
from study.running.event_handler import EventHandler
from study.running.failure_policy import FailurePolicy
from study.running.pack_sizes import PackSizes
from study.running.registration import Registration
from study.running.retention import Retention
from study.running.worker_pool import WorkerPool, WorkerState
from tests.unit.study.specs import a_plan, stored
from trainers.events import Beat, CheckpointWritten, NetworkFacts, Ready, Seconds
from trainers.jobs import Checkpoint

EW = {"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}]}
READY = Ready(
    startup_s=0.0,
    environment={"device": "cpu"},
    network=NetworkFacts(convolutional=False, obstacle=""),
)
WORKER = 7


class World:
    """An handler of a study without a driver.

    Attributes:
        replaced: Workers whose successor was asked for.
        said: What the next poll brings.
    """

    def __init__(self, storage: Storage, folder: str) -> None:
        plan = a_plan(EW, training={"epochs": 2, "batch_size": 8})
        record = stored(plan, storage)
        driver: Any = self
        engine = EngineState(plan, storage, record, device="cpu", say=print)
        holder = Holder(host="here", boot_id="b", pid=1, process_start="0")
        holder_id, self.pool = storage.register_holder(holder), WorkerPool(driver)
        self.replaced, self.said = list[int](), list[DriverEvent]()
        self.sizes = PackSizes(plan, storage, record.id, engine, workers=1, say=print)
        self.handler = EventHandler(
            storage,
            self.pool,
            Registration(
                plan, storage, record.id, holder_id, self.pool, engine, files=folder, say=print
            ),
            FailurePolicy(storage, record.id, {}, self.sizes, retry="", say=print),
            self.sizes,
            EpochTimings(plan, storage, record.id, self.sizes, searches={}),
            Retention(storage, record.id, folder, cap_bytes=1),
            say=print,
        )

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        said, self.said = self.said, []
        return said

    def pid(self, worker: int) -> int:
        return worker

    def replace(self, worker: int) -> None:
        self.replaced.append(worker)

    def lose(self, times: int = 1, loss: Loss = Loss.WORKER) -> None:
        for _ in range(times):
            self.handler.take(WorkerLost(WORKER, "exit code 1", loss))

    def ready(self) -> WorkerState:
        self.handler.take(FromWorker(WORKER, READY))
        return self.pool.workers[WORKER]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    storage = Storage(None)
    yield World(storage, str(tmp_path))
    storage.close()


@pytest.mark.parametrize(
    ("loss", "most", "words"),
    [
        (Loss.WORKER, 10, "10 workers in a row ended before they could work. The last: exit code"),
        (Loss.STUCK, 3, "3 in a row were not"),
    ],
)
def test_workers_that_die_at_their_start_end_the_study(
    world: World, loss: Loss, most: int, words: str
) -> None:
    world.lose(most - 1, loss)
    assert world.replaced == [WORKER] * (most - 1)
    with pytest.raises(WorkersUnusable, match=words):
        world.lose(1, loss)


def test_one_that_comes_to_work_ends_the_row(world: World) -> None:
    for _ in range(2):
        world.lose(9)
        world.ready()
        world.lose()  # at work
    assert len(world.replaced) == 20


def test_at_the_end_nobody_is_replaced(world: World) -> None:
    world.ready()
    world.pool.stopping = True
    world.lose()
    assert world.replaced == []
    assert world.pool.workers == {}


@pytest.fixture
def at_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_handler, "time", SimpleNamespace(monotonic=lambda: 100.0))


@pytest.mark.usefixtures("at_a_hundred")
def test_who_speaks_is_not_silent_and_has_trained_nothing_yet(world: World) -> None:
    state = world.ready()
    state.take([], 90.0)
    state.silent_s = 9.0
    world.handler.take(FromWorker(WORKER, Beat()))
    assert (state.silent_s, state.booked_s) == (0.0, 90.0)


def test_who_is_not_listened_to_is_not_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([100.0, 103.0, 103.0, 200.0])
    monkeypatch.setattr(event_handler, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    state = world.ready()
    world.handler.listen(5.0)
    assert state.silent_s == 3.0
    world.handler.listen(5.0)  # the driver was suspended meanwhile
    assert state.silent_s == 8.0


@pytest.mark.usefixtures("at_a_hundred")
def test_what_a_worker_reports_is_paid(world: World) -> None:
    state = world.ready()
    state.take([], 90.0)
    checkpoint = Checkpoint(path="x", epoch=1)
    written = CheckpointWritten(
        run=1, token=1, checkpoint=checkpoint, size_bytes=1, seconds=Seconds()
    )
    world.handler.take(FromWorker(WORKER, written))
    assert state.booked_s == 100.0


@pytest.mark.parametrize(
    ("loss", "progressed", "out_of_time", "halves"),
    [
        (Loss.WORKER, False, False, True),
        (Loss.WORKER, True, False, False),
        (Loss.WORKER, True, True, True),
        (Loss.MEMORY, True, False, True),
        (Loss.PREEMPTED, False, False, False),
    ],
)
def test_packs_are_halved_where_their_size_may_have_been_the_cause(
    world: World, loss: Loss, progressed: bool, out_of_time: bool, halves: bool
) -> None:
    state = world.ready()
    state.take([], 0.0, rows=6, engine="fused")
    state.progressed, state.out_of_time = {1} if progressed else set(), out_of_time
    world.lose(1, loss)
    assert (world.sizes._limits["fused"] == 3) is halves
