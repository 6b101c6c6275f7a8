"""Workers that hang are ended, and no others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study.running import watch
from study.running.watch import end_hanging
from study.running.worker_pool import WorkerPool, WorkerState
from study.spec.training import TrainingSpec

NOW_S = 1000.0
LIMITS = {"silence_limit_s": 30.0, "run_limit_s": 60.0, "open_limit_s": 600.0}


@pytest.fixture(autouse=True)
def at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: NOW_S))


class FakeDriver:
    """Nothing but who was ended."""

    def __init__(self) -> None:
        self.ended: list[int] = []

    def kill(self, worker: int) -> None:
        self.ended.append(worker)


def ended(state: WorkerState, *, looks: int = 1) -> list[int]:
    """Who is ended of a pool of one worker, numbered 7."""
    driver: Any = FakeDriver()
    pool = WorkerPool(driver)
    pool.workers[7] = state
    for _ in range(looks):
        end_hanging(pool, TrainingSpec(epochs=1, batch_size=1, **LIMITS))
    found: list[int] = driver.ended
    return found


def a_slot(*, size: int, since_s: float, silent_s: float = 0.0) -> WorkerState:
    state = WorkerState(1)
    state.take([], NOW_S - since_s)
    state.size, state.silent_s = size, silent_s
    return state


@pytest.mark.parametrize(
    ["state", "ends", "out_of_time"],
    [
        ({"size": 1, "since_s": 50.0}, False, False),
        ({"size": 1, "since_s": 70.0}, True, True),
        ({"size": 4, "since_s": 200.0}, False, False),  # as long as four runs may take
        ({"size": 1, "since_s": 50.0, "silent_s": 31.0}, True, False),
        ({"size": 0, "since_s": 500.0}, False, False),  # it times steps
        ({"size": 0, "since_s": 700.0}, True, False),
    ],
)
def test_who_is_ended(state: dict[str, Any], ends: bool, out_of_time: bool) -> None:
    state = a_slot(**state)
    assert ended(state, looks=2) == [7] * ends, "a worker is ended once"
    assert state.out_of_time is out_of_time


def test_who_is_ended_is_told_why() -> None:
    """A signal alone looks like somebody else's."""
    for state, why in (
        ({"silent_s": 31.0}, "It said nothing for `silence_limit_s` of [training], 30 s, and was"),
        ({"since_s": 700.0}, "It outlasted `run_limit_s` of [training], 60 s a run, and was"),
        ({}, ""),
    ):
        state = a_slot(**{"size": 2, "since_s": 50.0, **state})
        assert bool(ended(state)) is bool(why)
        assert state.why_ended.startswith(why)
        assert bool(state.why_ended) is bool(why)


def test_who_has_nothing_to_do_may_be_silent() -> None:
    state = a_slot(size=1, since_s=70.0, silent_s=99.0)
    state.busy = False
    assert ended(state) == []


def test_silence_is_counted_while_somebody_listens() -> None:
    """Not on the clock: a driver that waits for its database hears nobody."""
    nobody: Any = None
    pool, state = WorkerPool(nobody), a_slot(size=1, since_s=1000.0)
    pool.workers[7] = state
    for _ in range(4):
        pool.listened(0.25)
    assert state.silent_s == 1.0
    assert pool.beating(0.5) == []
