"""A run whose call waits at its rung is given back to its worker, or the call is ended at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from storage import Storage
from study.drivers import DriverEvent, FromWorker
from study.planning.plan import Plan, make_plan
from study.running.runner import Outcome, Runner
from study.spec.study_spec import parse
from tests.unit.study.specs import stored
from trainers.events import NetworkFacts, PackEnded, Ready, RunEnded
from trainers.functions import Called, FunctionSession, Report, call, train_function
from trainers.jobs import Pack

EPOCHS = 6
MOST_POLLS = 2_000
EARLY = {"rule": "halving", "rungs": [2, 4], "asynchronous": True}


class InProcess:
    """A driver whose workers are sessions of this process.

    Attributes:
        begun: The points of the function's calls, in order.
        ended: Of these, the calls that are over.
    """

    def __init__(self, workers: int = 2) -> None:
        self.begun: list[float] = []
        self.ended: list[float] = []
        self._events: list[DriverEvent] = []
        self._polls = 0
        self._sessions = [
            FunctionSession(Called(self._train, call), "loss", "cpu") for _ in range(workers)
        ]

    @property
    def size(self) -> int:
        return len(self._sessions)

    def start(self, *, code: str = "", looked: bool = False) -> None:
        network = NetworkFacts(convolutional=False, obstacle="")
        ready = Ready(startup_s=0.0, environment={"device": "cpu"}, network=network)
        self._events += [FromWorker(worker, ready) for worker in range(self.size)]

    def pid(self, worker: int) -> int:
        return os.getpid()

    def submit(self, worker: int, pack: Pack) -> None:
        said = list(train_function(pack, self._sessions[worker]))
        self._events += [FromWorker(worker, event) for event in said]
        last = said[-1]
        if not (isinstance(last, RunEnded) and last.waits):
            self._events.append(FromWorker(worker, PackEnded()))

    def stop(self, workers: Iterable[int] | None = None) -> None:
        for worker in workers or ():
            waiting = self._sessions[worker].rung.take()
            assert waiting is not None, "only calls that wait are stopped here"
            waiting.end()
            self._events.append(FromWorker(worker, PackEnded()))

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        self._polls += 1
        assert self._polls < MOST_POLLS, "the study never ends"
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        assert sorted(self.begun) == sorted(self.ended), "a call is cut off"

    def _train(self, params: Any, seed: int, folder: Path, report: Report) -> None:
        self.begun.append(params["lr"])
        try:
            for step in range(1, EPOCHS + 1):
                report(step, {"loss": params["lr"] / step})
        finally:
            self.ended.append(params["lr"])


def a_plan(*, seeds: int = 1, **stop: Any) -> Plan:
    """Rates that come to a rung from the best to the worst."""
    plain = {
        "name": "waiting",
        "function": {"target": "m:f", "metric": "loss"},
        "seeds": list(range(seeds)),
        "training": {"epochs": EPOCHS},
        "search": [{"stages": [{"lr": [1.0, 2.0, 3.0, 4.0], "stop": EARLY | stop}]}],
    }
    return make_plan(parse(plain, source="s.toml"))


def run(plan: Plan, driver: Any, folder: Path) -> tuple[Outcome, dict[str, int]]:
    """How a study ends, and how many attempts and epochs are in its database."""
    storage = Storage(None)
    record = stored(plan, storage)
    outcome = Runner(plan, storage, record, driver, checkpoints=str(folder), device="cpu").run()
    with storage._database.read() as connection:
        found = {
            name: int(connection.exec_driver_sql(query).scalar_one())
            for name, query in {
                "attempts": "SELECT COUNT(*) FROM attempt_costs WHERE kind = 'run'",
                "paid": "SELECT SUM(epochs) FROM attempt_costs WHERE kind = 'run'",
                "results": "SELECT SUM(epochs) FROM run_results",
            }.items()
        }
    storage.close()
    return outcome, found


@pytest.mark.parametrize("workers", [1, 2])
def test_each_run_is_one_call_and_pays_for_each_epoch_once(workers: int, tmp_path: Path) -> None:
    driver = InProcess(workers)
    outcome, found = run(a_plan(), driver, tmp_path)
    assert sorted(driver.begun) == [1.0, 2.0, 3.0, 4.0]
    assert outcome.states == {"done": 1, "pruned": 3}
    assert found["paid"] == found["results"]
    assert found["attempts"] == found["paid"] // 2, "each stretch between rungs is an attempt"


def test_a_run_that_waits_for_another_seed_frees_its_worker(tmp_path: Path) -> None:
    """The last seed of a trial goes on at once; the others begin again."""
    driver = InProcess(workers=1)
    outcome, found = run(a_plan(seeds=2), driver, tmp_path)
    assert outcome.states == {"done": 2, "pruned": 6}
    assert len(driver.begun) > 2 * 4
    assert found["paid"] > found["results"]


def test_a_rule_that_waits_for_the_round_keeps_no_call(tmp_path: Path) -> None:
    driver = InProcess()
    outcome, _ = run(a_plan(asynchronous=False), driver, tmp_path)
    assert outcome.states == {"done": 1, "pruned": 3}
    assert sorted(driver.begun) == [1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0]


def test_at_a_limit_calls_that_wait_are_ended(tmp_path: Path) -> None:
    plan = a_plan()
    plain = plan.spec.to_plain() | {"budget": {"epochs": EPOCHS}}
    driver = InProcess(workers=1)
    outcome, found = run(make_plan(parse(plain, source="s.toml")), driver, tmp_path)
    assert "epochs" in outcome.limit
    assert found["paid"] <= EPOCHS
