"""Commands from outside are followed by a driver under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from storage import Liveness, RunState, Storage, StudyChanged
from study.drivers import DriverEvent, FromWorker
from study.errors import StudyPaused
from study.planning.budget import with_raises
from study.planning.plan import Plan
from study.running import limiter, orders
from study.running.orders import refuse_paused
from study.running.recorder import RecordBuffer
from study.running.runner import Outcome, Runner
from tests.unit.study.obliging import EW, METRICS, Obliging
from tests.unit.study.specs import a_plan, stored
from trainers.events import EpochDone, Message, PackEnded, RunEnded, Seconds
from trainers.jobs import Pack

Command = Callable[[Storage, int], object]
UW = {"weighting": "uw", "stages": [{"lr": [0.001, 0.01]}]}


class Steered(Obliging):
    """Trains an epoch with each poll, until its run ends or it is asked to stop.

    Args:
        script: Polls at which something is ordered of the study.

    Attributes:
        did: By poll, how many runs were trained, in words what was asked.
    """

    def __init__(self, plan: Plan, storage: Storage, script: Mapping[int, Command]) -> None:
        super().__init__(plan)
        self._storage, self._script = storage, script
        self.did: dict[int, str] = {}
        self._pack: Pack | None = None
        self._epoch, self._asked, self._poll = 0, False, 0

    def submit(self, worker: int, pack: Pack) -> None:
        self._pack, self._epoch, self._asked = pack, 0, False

    def stop(self, workers: Any = None) -> None:
        self._asked = True

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        self._poll += 1
        if command := self._script.get(self._poll):
            command(self._storage, 1)
        events = super().poll(timeout_s)
        return events + [FromWorker(0, message) for message in self._messages()]

    def _messages(self) -> Iterator[Message]:
        pack = self._pack
        if pack is None:
            return
        self._epoch += 1
        over = self._epoch == pack.until_epoch
        for job in pack.jobs:
            of = {"run": job.run, "token": job.token, "epoch": self._epoch}
            names = [(task, metric) for task, metric, _ in self._plan.metrics]
            values = tuple(
                (split, *name, 1.0) for split in ("validation", "test") for name in names
            )
            seconds = Seconds(train_s=1.0)
            yield EpochDone(**of, values=values, seconds=seconds, samples=8, grad_evals=1)
            if over or self._asked:
                outcome = "done" if over else "released"
                yield RunEnded(**of, outcome=outcome, seconds=Seconds())
        self.did[self._poll] = "trains"
        if over or self._asked:
            self._pack, self.did[self._poll] = None, "ends"
            yield PackEnded()


class World:
    """A study under a driver that follows a script."""

    def __init__(
        self, folder: Path, *searches: dict[str, Any], epochs: int = 1_000, **spec: Any
    ) -> None:
        training = {"epochs": epochs, "batch_size": 8, "engine": "solo"}
        baseline = {"metrics": METRICS}
        self.plan = a_plan(*searches, training=training, baseline=baseline, seeds=[0], **spec)
        self.storage = Storage(None)
        self.study = stored(self.plan, self.storage)
        self._folder, self.said = str(folder), list[str]()

    def run(self, script: Mapping[int, Command]) -> tuple[Outcome, Steered]:
        driver = Steered(self.plan, self.storage, script)
        runner = Runner(
            self.plan,
            self.storage,
            self.study,
            driver,
            checkpoints=self._folder,
            device="cpu",
            say=self.said.append,
        )
        return runner.run(), driver


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reported is recorded, and what is ordered looked at, with the next poll."""
    for module in (limiter, orders):
        monkeypatch.setattr(module, "_LOOK_S", 0.0)
    monkeypatch.setitem(RecordBuffer.__init__.__kwdefaults__, "flush_s", 0.0)


def _raise(search: str | None = None, **limits: float) -> Command:
    return lambda storage, study: storage.raise_budget(study, limits, search=search)


def test_a_paused_driver_waits_until_it_is_resumed_and_ends_when_it_is_stopped(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, EW)
    outcome, driver = world.run({10: Storage.pause, 30: Storage.resume, 50: Storage.stop})
    trained = [poll for poll, did in driver.did.items() if did == "trains"]
    assert not [poll for poll in driver.did if 12 <= poll <= 30]
    assert min(trained) < 10
    assert max(trained) in range(48, 52)
    assert outcome.interrupted
    assert outcome.states == {RunState.WAITING: 2}
    assert [said.split(" by ")[0] for said in world.said[:3]] == ["Paused", "Resumed", "Stopped"]
    assert "weighbridge resume tried" in world.said[0]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"epochs": 60}, "the budget of 60 epochs"),
        ({"device_s": 40.0}, "the budget of 40 device-seconds"),
    ],
)
def test_a_raised_budget_is_followed(limit: dict[str, Any], words: str, tmp_path: Path) -> None:
    (kind,) = limit
    small = {"epochs": 20, "device_s": 20.0}[kind]
    lr = {"lr": [0.1, 0.2, 0.3, 0.4]}
    world = World(tmp_path, EW | {"stages": [lr]}, budget={kind: small}, epochs=20)
    outcome, driver = world.run({15: _raise(**limit), 200: Storage.stop})
    assert outcome.limit == words
    assert len(driver.did) == pytest.approx(limit[kind], abs=5)
    assert f"Budget raised: {kind} {small:g} -> {limit[kind]:g}, by " in world.said[0]


def test_a_search_that_had_ended_for_want_of_trials_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, EW | {"budget": {"trials": 1}}, UW, epochs=10)
    outcome, _ = world.run({15: _raise("ew", trials=2)})
    assert (outcome.stopped, outcome.states) == ({}, {RunState.DONE: 4})
    again = World(tmp_path, EW | {"budget": {"trials": 1}}, UW, epochs=10)
    outcome, _ = again.run({})
    assert [*outcome.stopped] == ["ew"]


def test_a_study_that_is_deleted_while_it_is_paused_ends_its_driver(tmp_path: Path) -> None:
    def delete(storage: Storage, study: int) -> None:
        storage.delete_study(study, liveness=lambda _: Liveness.DEAD)

    with pytest.raises(StudyChanged, match="was deleted"):
        World(tmp_path, EW).run({10: Storage.pause, 20: delete})


def test_what_was_ordered_before_a_driver_began_does_not_end_it(tmp_path: Path) -> None:
    world = World(tmp_path, EW, epochs=3)
    world.storage.stop(1)
    world.study = world.storage.stored(1)
    outcome, _ = world.run({})
    assert (outcome.interrupted, outcome.states) == (False, {RunState.DONE: 2})
    assert not [said for said in world.said if "Stopped" in said]


def test_a_paused_study_is_not_begun(tmp_path: Path) -> None:
    world = World(tmp_path, EW)
    refuse_paused(world.study, "sqlite:///weighbridge.db")
    world.storage.pause(1)
    with pytest.raises(StudyPaused, match=r"has been paused since 20.*`weighbridge resume tried`"):
        refuse_paused(world.storage.stored(1), "sqlite:///weighbridge.db")


def test_a_plan_takes_over_what_commands_have_raised(tmp_path: Path) -> None:
    world = World(tmp_path, EW | {"budget": {"epochs": 10}}, budget={"wall_s": 60.0, "epochs": 50})
    said = list[str]()

    def taken() -> Plan:
        return with_raises(world.plan, world.storage.stored(1), say=said.append)

    assert taken() == world.plan
    assert said == []
    world.storage.raise_budget(1, {"wall_s": 90.0})
    world.storage.raise_budget(1, {"epochs": 20}, search="ew")
    plan = taken()
    assert (plan.spec.budget.wall_s, plan.spec.budget.epochs) == (90.0, 50)
    (search,) = plan.searches
    assert search.budget.epochs == plan.spec.search[0].budget.epochs == 20
    assert "wall_s of the study is 90 (the spec: 60), epochs of ew is 20" in said[0]
