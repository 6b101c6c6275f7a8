"""Who is given runs: workers that are free, known and not at rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from storage.records import Claimed
from study.running import dispatch
from study.running.dispatch import Dispatch
from study.running.worker_pool import WorkerPool, WorkerState
from study.spec.budget import BudgetSpec


class World:
    """One worker, and nothing to claim.

    Attributes:
        asked: Workers for which runs were claimed.
    """

    def __init__(self, state: WorkerState) -> None:
        self.asked: list[int] = []
        driver: Any = SimpleNamespace(size=1)
        pool = WorkerPool(driver)
        pool.workers[7] = state
        failures: Any = SimpleNamespace(limits=lambda limits: limits, stopped={})
        engine: Any = SimpleNamespace(looked=lambda code: code == "known")
        leases: Any = self
        sizes: Any = SimpleNamespace(
            waiting=lambda _state: False,
            to_measure=lambda _state: None,
            most=lambda _state: {},
        )
        timings: Any = SimpleNamespace(to_time=lambda _state: None)
        nobody: Any = None
        self.dispatch = Dispatch(
            *(leases, pool, engine, sizes, timings, failures, nobody),
            budget=BudgetSpec(),
            limits=None,
        )

    def claim(self, state: WorkerState, _n: dict[int, int], **_: Any) -> Claimed:
        self.asked.append(state.worker_id)
        return Claimed()

    def anybody(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("state", "asks"),
    [
        ({}, True),
        ({"busy": True}, False),
        ({"code": "unknown"}, False),
        ({"rests_until_s": 100.5}, False),
        ({"rests_until_s": 99.5}, True),
    ],
)
def test_runs_are_claimed_for_whom_they_can_be_given(
    state: dict[str, Any], asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "time", SimpleNamespace(monotonic=lambda: 100.0))
    world = World(WorkerState(3, **{"code": "known", **state}))
    world.dispatch.hand_out()
    assert world.asked == [3] * asks


def test_an_empty_queue_is_asked_once_until_something_may_have_come() -> None:
    world = World(WorkerState(3, code="known"))
    for _ in range(3):
        world.dispatch.hand_out()
    assert world.asked == [3]
    world.dispatch.refresh()
    world.dispatch.hand_out()
    assert world.asked == [3, 3]
