"""When searches are timed, and what their epochs are charged with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from storage import Storage
from storage.records import Calibration
from study.planning.packs import shapes_of
from study.running.epoch_timings import EpochTimings
from study.running.worker_pool import WorkerState
from tests.unit.study.pack_world import CPU, GPU, GRID, World
from trainers.events import StepsTimed
from trainers.jobs import TimeSteps

SEARCHES = [
    GRID,
    {"weighting": "pcgrad", "stages": [{"lr": [0.01]}]},
    {"weighting": "uw-so", "stages": [{"temperature": [1.0, 2.0]}]},
    {"name": "again", "weighting": "uw-so", "stages": [{"temperature": [4.0]}]},
]
TIMED = ["scalarization", "pcgrad", "uw-so", "stl/left", "stl/right", "stl/sum"]
"""One of those that have the same steps."""
SECONDS = 0.5


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def storage() -> Iterator[Storage]:
    storage = Storage(None)
    yield storage
    storage.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(storage: Storage) -> World:
    return World(storage, searches=SEARCHES)


@pytest.fixture
def timings(world: World, clock: Clock) -> EpochTimings:
    return begun(world, clock)


def begun(world: World, clock: Clock) -> EpochTimings:
    searches = {of.name: of.id for of in world.storage.searches(world.study_id)}
    return EpochTimings(
        world.plan, world.storage, world.study_id, world.sizes, searches=searches, clock=clock
    )


def answered(wanted: TimeSteps, *sweeps: float) -> StepsTimed:
    """So many s in each sweep; PCGrad takes three times as long."""
    return StepsTimed(
        sweeps=tuple(
            {job.run: s * (3.0 if job.weighting == "pcgrad" else 1.0) for job in wanted.jobs}
            for s in sweeps
        ),
        seconds=SECONDS,
    )


def timed(timings: EpochTimings, state: WorkerState, *sweeps: float) -> None:
    wanted = timings.to_time(state)
    assert wanted is not None
    timings.timed(state, answered(wanted, *sweeps))


def rows(world: World) -> list[dict[str, Any]]:
    with world.storage._database.read() as connection:
        found = connection.exec_driver_sql("SELECT * FROM epoch_timings ORDER BY attempt, sweep")
        return [dict(row._mapping) for row in found]


def test_each_kind_of_step_is_timed_once_a_sweep_by_its_own_weighting(
    world: World, timings: EpochTimings
) -> None:
    wanted = timings.to_time(world.calibrated())
    assert wanted is not None
    told = [(job.weighting, job.tasks) for job in wanted.jobs]
    single = [("ew", (task,)) for task in ("left", "right", "sum")]
    several = [(name, ("left", "right", "sum")) for name in ("scalarization", "pcgrad", "uw-so")]
    assert sorted(told) == sorted([*single, *several])
    hypers = {job.weighting: set(job.hyper) for job in wanted.jobs}
    assert hypers["uw-so"] == {"temperature"}
    assert hypers["scalarization"] == {"task_weights"}


def test_nothing_is_timed_before_the_packs_are_sized(world: World, timings: EpochTimings) -> None:
    assert timings.to_time(world.state()) is None


def test_without_packs_a_run_tells_itself_what_it_takes(storage: Storage, clock: Clock) -> None:
    world = World(storage, engine="solo", searches=SEARCHES)
    timings, state = begun(world, clock), world.state()
    assert timings.to_time(state) is None
    assert timings.charged_s(state, "uw-so") is None


def test_steps_that_are_compiled_are_not_timed(storage: Storage, clock: Clock) -> None:
    world = World(storage, searches=[GRID], compile=True)
    assert begun(world, clock).to_time(world.calibrated()) is None


def test_one_worker_times_at_a_time_and_each_hardware_is_timed_at_once(
    world: World, timings: EpochTimings
) -> None:
    first = world.calibrated()
    other, gpu = world.state(), world.calibrated(world.state(GPU))
    assert timings.to_time(first) is not None
    assert timings.to_time(other) is None
    assert timings.to_time(gpu) is not None


def test_it_is_timed_again_after_a_hundred_times_as_long(
    world: World, timings: EpochTimings, clock: Clock
) -> None:
    state = world.calibrated()
    timed(timings, state, 1.0)
    clock.now_s += 100 * SECONDS - 1
    assert timings.to_time(state) is None
    clock.now_s += 2
    assert timings.to_time(world.state()) is not None


def test_pauses_grow_with_the_time_so_far(
    world: World, timings: EpochTimings, clock: Clock
) -> None:
    state = world.calibrated()
    clock.now_s += 100_000
    timed(timings, state, 1.0)
    clock.now_s += 1_999
    assert timings.to_time(state) is None
    clock.now_s += 2
    assert timings.to_time(state) is not None


def test_what_was_timed_is_kept_for_each_search(world: World, timings: EpochTimings) -> None:
    timed(timings, world.calibrated(), 2.0, 4.0)
    found = {(row["search"], row["sweep"]): row["epoch_s"] for row in rows(world)}
    assert found == {
        (name, sweep): epoch_s * (3.0 if name == "pcgrad" else 1.0)
        for name in [*TIMED, "again"]
        for sweep, epoch_s in enumerate((2.0, 4.0))
    }


def test_epochs_in_packs_are_charged_from_the_first_and_others_once_they_are_timed(
    world: World, timings: EpochTimings
) -> None:
    state = world.calibrated()
    assert timings.charged_s(state, "uw-so") == 3.0
    assert timings.charged_s(state, "stl/left") == 1.0
    assert timings.charged_s(state, "pcgrad") is None
    timed(timings, state, 1.0)
    assert timings.charged_s(state, "pcgrad") == 3.0


def test_a_charge_stays_when_packs_are_sized_anew(
    world: World, timings: EpochTimings, clock: Clock
) -> None:
    timed(timings, world.calibrated(), 1.0)
    anew = Calibration(
        shape=shapes_of(world.plan)["left", "right", "sum"],
        hardware=CPU,
        pack_size=18,
        epoch_s=9.0,
        run_step_ms={1: 1.0, 64: 0.5},
    )
    world.storage.save_calibrations([anew], study_id=world.study_id, worker_id=1, seconds=0.1)
    again = World(world.storage, searches=SEARCHES)
    state = again.state()
    assert again.sizes.to_measure(state) is None
    assert again.sizes.alone_s(state, "uw-so") == 9.0
    assert begun(again, clock).charged_s(state, "uw-so") == 3.0


@pytest.mark.parametrize("how", ["lost", "nothing"])
def test_what_fails_is_not_tried_again(
    world: World, timings: EpochTimings, clock: Clock, how: str
) -> None:
    state = world.calibrated()
    assert timings.to_time(state) is not None
    if how == "lost":
        timings.lost(state)
    else:
        timings.timed(state, StepsTimed(sweeps=(), seconds=SECONDS))
    clock.now_s += 1e6
    assert timings.to_time(world.state()) is None
    assert timings.charged_s(state, "pcgrad") is None
