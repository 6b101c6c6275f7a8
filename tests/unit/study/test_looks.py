"""A network is looked at once for each version of its code, by one worker for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import RunState, Storage
from study.drivers import FromWorker
from study.planning.plan import Plan
from tests.unit.study.fake_trainer import EPOCHS
from tests.unit.study.obliging import EW, METRICS, Obliging
from tests.unit.study.specs import a_plan
from tests.unit.study.test_runner import run
from trainers.events import NetworkFacts, Ready
from trainers.jobs import Pack
from trainers.worker.code import Code

UNSAVED = "changes what is none of ours"


class Looking(Obliging):
    """Two workers of which the first looks, if anybody has to, and is ready last.

    Attributes:
        told: Code and whether it was looked at, as each start is told.
        given: Workers and why their runs cannot be saved, pack by pack.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.told: list[tuple[str, bool]] = []
        self.given: list[tuple[int, str]] = []
        self._code = plan.code

    @property
    def size(self) -> int:
        return 2

    def start(self, *, code: str = "", looked: bool = False) -> None:
        self.told.append((code, looked))
        found = NetworkFacts(convolutional=False, obstacle="", unsaved=UNSAVED)
        self._events = [
            FromWorker(1, self._ready(None)),
            FromWorker(0, self._ready(None if looked else found)),
        ]

    def _ready(self, network: NetworkFacts | None) -> Ready:
        environment = {"device": "cpu", **self._code.told()}
        return Ready(startup_s=0.0, environment=environment, network=network)

    def submit(self, worker: int, pack: Pack) -> None:
        self.given.append((worker, pack.unsaved))
        super().submit(worker, pack)


class Slow(Looking):
    """Who looks is not ready before the driver has asked a few times."""

    def poll(self, timeout_s: float) -> list[object]:  # type: ignore[override]
        if self._polls < 3:
            self._polls += 1
            assert not self.given, "nobody has looked yet"
            events, self._events = self._events[:1], self._events[1:] or self._events
            return list(events) if self._polls == 1 else []
        return list(super().poll(timeout_s))


@pytest.fixture
def storage() -> Iterator[Storage]:
    storage = Storage(None)
    yield storage
    storage.close()


def planned(digest: str = "0123", seeds: tuple[int, ...] = (0,)) -> Plan:
    training = {"epochs": EPOCHS, "batch_size": 8, "engine": "solo"}
    plan = a_plan(EW, training=training, baseline={"metrics": METRICS}, seeds=list(seeds))
    return replace(plan, code=Code({"mine": digest}))


@pytest.fixture
def plan() -> Plan:
    return planned()


def test_who_waits_for_a_look_is_given_packs_once_another_has_looked(
    plan: Plan, storage: Storage, tmp_path: Path
) -> None:
    driver = Slow(plan)
    outcome = run(plan, storage, tmp_path, driver)
    assert outcome.states == {RunState.DONE: plan.expected_runs}
    assert {worker for worker, _ in driver.given} == {0, 1}
    assert {unsaved for _, unsaved in driver.given} == {UNSAVED}


def test_who_goes_on_with_a_study_need_not_look_again(
    plan: Plan, storage: Storage, tmp_path: Path
) -> None:
    first = Looking(plan)
    run(plan, storage, tmp_path, first)
    assert first.told == [(plan.code.fingerprint, False)]
    later = planned(seeds=(0, 1))
    second = Looking(later)
    outcome = run(later, storage, tmp_path, second)
    assert second.told == [(plan.code.fingerprint, True)]
    assert outcome.states == {RunState.DONE: later.expected_runs}
    assert {unsaved for _, unsaved in second.given} == {UNSAVED}


def test_what_changed_code_makes_is_looked_at_again(
    plan: Plan, storage: Storage, tmp_path: Path
) -> None:
    run(plan, storage, tmp_path, Looking(plan))
    changed = planned("4567", seeds=(0, 1))
    driver = Looking(changed)
    run(changed, storage, tmp_path, driver)
    assert driver.told == [(changed.code.fingerprint, False)]
