"""Every limit ends what runs, at the end of the epoch in which it is reached."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import RunState, Storage
from storage.limits import Amount, Limit, Limits
from study.drivers import DriverEvent, FromWorker
from study.planning.budget import used_up
from study.planning.plan import Plan
from study.running import limiter
from study.running.limiter import Limiter
from study.running.recorder import RecordBuffer
from study.running.runner import Outcome, Runner
from study.running.worker_pool import WorkerPool, WorkerState
from study.spec.budget import BudgetSpec
from tests.unit.study.obliging import METRICS, Obliging
from tests.unit.study.specs import a_plan, stored
from trainers.events import EpochDone, PackEnded, RunEnded, Seconds
from trainers.jobs import Pack

LONG = 10_000
"""Epochs of a run: it would take a thousand times what these limits allow."""
EW = {"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}]}
PRICED = {"price_per_h": {"cpu": 3600.0}}


class Endless(Obliging):
    """Trains an epoch with each poll, which costs a device-second, until it is stopped.

    Attributes:
        epochs: That it has trained.
        stopped: Workers that it was asked to stop, each time; None for all.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.epochs = 0
        self.stopped: list[list[int] | None] = []
        self._pack: Pack | None = None
        self._epoch = 0

    def submit(self, worker: int, pack: Pack) -> None:
        self._pack, self._epoch = pack, pack.jobs[0].recorded

    def stop(self, workers: Iterable[int] | None = None) -> None:
        self.stopped.append(None if workers is None else list(workers))

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        events, pack = super().poll(timeout_s), self._pack
        if pack is None:
            return events
        if self.stopped and self.epochs:
            self._pack = None
            return [*events, *self._released(pack)]
        self._epoch += 1
        self.epochs += len(pack.jobs)
        seconds = Seconds(train_s=1.0)
        return events + [
            FromWorker(
                0,
                EpochDone(
                    run=job.run,
                    token=job.token,
                    epoch=self._epoch,
                    values=(),
                    seconds=seconds,
                    samples=8,
                    grad_evals=1,
                ),
            )
            for job in pack.jobs
        ]

    def _released(self, pack: Pack) -> list[DriverEvent]:
        ends = [
            RunEnded(
                run=job.run,
                token=job.token,
                outcome="released",
                epoch=self._epoch,
                seconds=Seconds(),
            )
            for job in pack.jobs
        ]
        return [FromWorker(0, message) for message in (*ends, PackEnded())]


def run(budget: dict[str, Any], folder: Path, search: dict[str, Any] | None = None) -> Any:
    plan = a_plan(
        EW | ({"budget": search} if search else {}),
        training={"epochs": LONG, "batch_size": 8, "engine": "solo"},
        baseline={"metrics": METRICS},
        budget=budget,
        cost=PRICED,
    )
    driver, storage = Endless(plan), Storage(None)
    record = stored(plan, storage)
    said: list[str] = []
    runner = Runner(
        plan, storage, record, driver, checkpoints=str(folder), device="cpu", say=said.append
    )
    outcome = runner.run()
    storage.close()
    return outcome, driver, said


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reported is recorded and looked at with the next poll, not within a second."""
    monkeypatch.setattr(limiter, "_LOOK_S", 0.0)
    monkeypatch.setitem(RecordBuffer.__init__.__kwdefaults__, "flush_s", 0.0)


@pytest.mark.parametrize(
    ["budget", "words"],
    [
        ({"device_s": 20.0}, "the budget of 20 device-seconds"),
        ({"money": 20.0}, "the budget of 20 in money"),
        ({"wall_s": 1e-3}, "the limit of 0.001 s for one run of the command"),
    ],
)
def test_what_runs_is_released_when_a_limit_is_reached(
    budget: dict[str, Any], words: str, tmp_path: Path
) -> None:
    outcome, driver, _ = run(budget, tmp_path)
    assert isinstance(outcome, Outcome)
    assert (outcome.limit, outcome.interrupted) == (words, False)
    assert driver.stopped in ([None], [])  # nobody is at work yet if it comes at once
    assert driver.epochs < 30
    assert outcome.states.get(RunState.LEASED, 0) == 0
    assert RunState.DONE not in outcome.states


def test_a_search_that_has_reached_its_limit_releases_its_runs_and_ends(tmp_path: Path) -> None:
    outcome, driver, _ = run({}, tmp_path, {"device_s": 20.0})
    assert driver.stopped[0] == [0]
    assert outcome.limit == "the budget of its searches"
    assert outcome.states == {RunState.WAITING: 4}


def test_what_is_waited_for_at_the_end_is_said(tmp_path: Path) -> None:
    _, _, said = run({"device_s": 20.0}, tmp_path)
    assert said == [
        "Waiting for the end of this epoch: workers then save what they train "
        "(workers: 1, runs: 1)."
    ]


def test_of_several_workers_the_slowest_is_waited_for() -> None:
    nobody: Any = None
    pool = WorkerPool(nobody)
    assert pool.waits_for(0.0) == ""
    for number, epoch_s in enumerate((10.0, 40.0)):
        state = pool.workers[number] = WorkerState(number)
        state.take([], 100.0)
        state.claims = {number: None}  # type: ignore[dict-item]
        state.epoch_s = epoch_s
    assert "in about 30 s" in pool.waits_for(110.0)
    assert "(workers: 2, runs: 2)" in pool.waits_for(110.0)


def test_the_limit_of_the_command_is_reached_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = a_plan(EW, training={"epochs": 1, "batch_size": 8}, budget={"wall_s": 50.0})
    clock = SimpleNamespace(now_s=1000.0)
    monkeypatch.setattr(limiter, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    nothing: Any = None
    limits = Limiter(nothing, 1, nothing, plan.spec.budget, limits=None, searches={})
    clock.now_s = 1049.0
    assert limits.look() == ""
    clock.now_s = 1050.0
    assert limits.look() == "the limit of 50 s for one run of the command"


class OneWorker:
    """A limiter of a search and its worker, which has had a run of it since 0 s.

    Attributes:
        asked: Workers that were asked to stop.
    """

    def __init__(self, limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.state, self.now_s = list[int](), WorkerState(1, price_per_h=36.0), 0.0
        monkeypatch.setattr(limiter, "time", SimpleNamespace(monotonic=lambda: self.now_s))
        driver: Any = SimpleNamespace(stop=self.asked.extend)
        pool, claim = WorkerPool(driver), SimpleNamespace(run=1, search="ew", epochs_left=9)
        pool.workers[7] = self.state
        self.state.take([claim], 0.0)  # type: ignore[list-item]
        storage: Any = SimpleNamespace(used=lambda _study: {})
        limits = Limits(searches={3: limit})
        self._limiter = Limiter(storage, 1, pool, BudgetSpec(), limits=limits, searches={"ew": 3})

    def asked_at(self, now_s: float) -> list[int]:
        self.now_s = now_s
        assert self._limiter.look() == ""
        return self.asked


@pytest.mark.parametrize("limit", [Limit(device_s=100.0), Limit(money=1.0)], ids=["s", "money"])
def test_what_nobody_has_reported_yet_counts_and_a_worker_is_asked_once(
    limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = OneWorker(limit, monkeypatch)
    assert world.asked_at(99.0) == []
    assert world.asked_at(101.0) == [7]
    assert world.asked_at(102.0) == [7]


def test_a_worker_with_nothing_to_do_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = OneWorker(Limit(device_s=100.0), monkeypatch)
    world.state.busy = False
    assert world.asked_at(1000.0) == []


amounts = st.builds(
    Amount,
    epochs=st.integers(0, 100),
    device_s=st.floats(0, 100),
    money=st.floats(0, 100),
)
limits = st.builds(
    Limit,
    epochs=st.none() | st.integers(1, 100),
    device_s=st.none() | st.floats(0.1, 100),
    money=st.none() | st.floats(0.1, 100),
)


@given(limits, st.dictionaries(st.none() | st.integers(1, 3), amounts), limits)
def test_a_limit_is_reached_when_as_much_is_used(
    whole: Limit, used: dict[int | None, Amount], part: Limit
) -> None:
    reached, searches = used_up(Limits(study=whole, searches={1: part}), used)
    device_s = sum(amount.device_s for amount in used.values())
    if reached == "device_s":
        assert whole.device_s is not None
        assert device_s >= whole.device_s
    assert reached != "epochs", "they are set aside before a run is handed out"
    of_search = used.get(1, Amount())
    assert (1 in searches) == (
        (part.device_s is not None and of_search.device_s >= part.device_s)
        or (part.money is not None and of_search.money >= part.money)
    )
