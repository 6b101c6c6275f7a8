"""A runner returns leases that it has and does not know of, and keeps those it knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage import Liveness, RunState, Storage, StudyChanged
from storage.records import Claimed
from study.drivers import DriverEvent, FromWorker, Loss, WorkerLost
from study.errors import ClusterLost
from study.planning.plan import Plan, make_plan
from study.running import failure_policy, runner
from study.running.failure_policy import FRUITLESS_ATTEMPTS
from study.running.runner import Outcome, Runner
from study.spec.study_spec import parse
from tests.unit.study.fake_trainer import EPOCHS
from tests.unit.study.obliging import EW, METRICS, Obliging
from tests.unit.study.specs import a_plan, stored
from trainers.events import (
    Event,
    RunEnded,
)
from trainers.failures import OUT_OF_MEMORY
from trainers.jobs import Job, Pack


class Losing(Obliging):
    """Its first worker is lost with its first pack, after an epoch of each run.

    Attributes:
        replaced: Workers whose successor was asked for.
    """

    def __init__(self, plan: Plan, loss: Loss) -> None:
        super().__init__(plan)
        self._loss: Loss | None = loss
        self.replaced: list[int] = []

    def submit(self, worker: int, pack: Pack) -> None:
        if self._loss is None:
            super().submit(worker, pack)
            return
        self.packs.append(len(pack.jobs))
        self._events += [FromWorker(worker, next(self._trained(job))) for job in pack.jobs]
        self._events.append(WorkerLost(worker, "gone", self._loss))
        self._loss = None

    def replace(self, worker: int) -> None:
        self.replaced.append(worker)
        self.start()


class Crowded(Obliging):
    """Other processes fill its GPU for its first packs."""

    def __init__(self, plan: Plan, packs: int) -> None:
        super().__init__(plan)
        self._left = packs

    def submit(self, worker: int, pack: Pack) -> None:
        self._left -= 1
        self._room = 0 if self._left >= 0 else len(pack.jobs)
        super().submit(worker, pack)

    def _fallen(self, job: Job) -> Iterator[Event]:
        for event in super()._fallen(job):
            assert isinstance(event, RunEnded)
            yield replace(event, crowded=True)


class CutOff(Obliging):
    """Its cluster goes once it has been given a pack."""

    before_its_end: Callable[[], None] = staticmethod(lambda: None)

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        if self.packs:
            self.before_its_end()
            raise ClusterLost("Nobody answers.")
        return super().poll(timeout_s)


class Extended(Obliging):
    """Once its first pack is trained, another command extends the study."""

    def __init__(self, plan: Plan, storage: Storage) -> None:
        super().__init__(plan)
        self._storage, self.stopped = storage, False

    def submit(self, worker: int, pack: Pack) -> None:
        super().submit(worker, pack)
        (study,) = self._storage.studies()
        self._storage.save_study(
            name=study.name,
            spec=study.spec,
            card=study.card,
            fingerprint=study.fingerprint,
            searches=(),
            plan="another",
        )

    def stop(self) -> None:
        self.stopped = True


class Forgetful(Storage):
    """Its first claim takes place, but the answer is lost; the claim is made once more."""

    forgotten: Claimed | None = None

    def claim(self, *args: Any, **kwargs: Any) -> Claimed:
        if self.forgotten is None:
            self.forgotten = super().claim(*args, **kwargs)
        return super().claim(*args, **kwargs)


@pytest.fixture
def storage() -> Iterator[Storage]:
    storage = Storage(None)
    yield storage
    storage.close()


@pytest.fixture(autouse=True)
def look_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_LOOK_S", 0.0)


@pytest.fixture
def plan() -> Plan:
    training = {"epochs": EPOCHS, "batch_size": 8, "engine": "solo"}
    return a_plan(EW, training=training, baseline={"metrics": METRICS})


def run(plan: Plan, storage: Storage, folder: Path, driver: Obliging) -> Outcome:
    record = stored(plan, storage)
    return Runner(plan, storage, record, driver, checkpoints=str(folder), device="cpu").run()


def attempts(storage: Storage) -> list[tuple[int, str, str | None]]:
    """(run, state, failure) of each attempt, oldest first."""
    with storage._database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT run, state, failure FROM attempt_costs WHERE run IS NOT NULL ORDER BY attempt"
        )
        return [tuple(row) for row in rows]


def test_a_driver_whose_study_another_command_extends_saves_and_ends(
    plan: Plan, tmp_path: Path, storage: Storage
) -> None:
    driver = Extended(plan, storage)
    with pytest.raises(StudyChanged, match="was extended by another command"):
        run(plan, storage, tmp_path, driver)
    assert driver.stopped
    (study,) = storage.studies()
    states = storage.totals(study.id).states
    assert states[RunState.DONE] > 0
    assert RunState.LEASED not in states


def test_a_renamed_study_has_nothing_left_to_train(
    plan: Plan, tmp_path: Path, storage: Storage
) -> None:
    run(plan, storage, tmp_path, Obliging(plan))
    (study,) = storage.studies()
    storage.rename_study(study.id, "new", liveness=lambda _: Liveness.DEAD)
    spec = parse({**plan.spec.to_plain(), "name": "new"}, source="renamed")
    renamed, driver = make_plan(spec, folder=plan.problem.folder), Obliging(plan)
    outcome = run(renamed, storage, tmp_path, driver)
    assert outcome.states == {RunState.DONE: plan.expected_runs}
    assert driver.packs == []


def test_a_claim_without_an_answer_is_given_back_and_trained(plan: Plan, tmp_path: Path) -> None:
    storage = Forgetful(None)
    outcome = run(plan, storage, tmp_path, Obliging(plan))
    assert storage.forgotten is not None
    (lost,) = storage.forgotten.claims
    assert outcome.states == {RunState.DONE: plan.expected_runs}
    of_lost = [rest for run, *rest in attempts(storage) if run == lost.run]
    assert of_lost == [["lost", "ClaimUnanswered"], ["finished", None]]
    others = Counter(run for run, *_ in attempts(storage) if run != lost.run)
    assert set(others.values()) == {1}
    storage.close()


def test_what_a_worker_trains_is_not_given_back(plan: Plan, tmp_path: Path) -> None:
    storage = Storage(None)
    outcome = run(plan, storage, tmp_path, Obliging(plan, slow=5))
    assert outcome.states == {RunState.DONE: plan.expected_runs}
    assert [state for _, state, _ in attempts(storage)] == ["finished"] * plan.expected_runs
    storage.close()


@pytest.fixture
def packed_plan() -> Plan:
    training = {"epochs": EPOCHS, "batch_size": 8, "engine": "fused", "pack_size": 8, "lr": 0.1}
    grid = {"weighting": "scalarization", "stages": [{"task_weights": {"simplex_step": 0.2}}]}
    return a_plan(grid, training=training, baseline={"metrics": METRICS})


def test_packs_that_take_too_much_memory_are_halved_until_they_fit(
    packed_plan: Plan, tmp_path: Path
) -> None:
    storage = Storage(None)
    driver = Obliging(packed_plan, room=2)
    outcome = run(packed_plan, storage, tmp_path, driver)
    n = packed_plan.expected_runs
    assert outcome.states == {RunState.DONE: n}
    assert driver.packs == [6, 3, *[1] * n]
    states = Counter((state, failure) for _, state, failure in attempts(storage))
    assert states == {("finished", None): n, ("failed", OUT_OF_MEMORY): 6 + 3}
    storage.close()


@pytest.mark.parametrize(
    ["loss", "second"],
    [(Loss.WORKER, 6), (Loss.NODE, 6), (Loss.PREEMPTED, 6), (Loss.MEMORY, 3)],
)
def test_a_pack_that_was_lost_for_memory_is_halved(
    packed_plan: Plan, tmp_path: Path, storage: Storage, loss: Loss, second: int
) -> None:
    driver = Losing(packed_plan, loss)
    outcome = run(packed_plan, storage, tmp_path, driver)
    assert outcome.states == {RunState.DONE: packed_plan.expected_runs}
    assert driver.packs[:2] == [6, second]
    assert driver.replaced == [0]
    lost = {failure for _, state, failure in attempts(storage) if state == "lost"}
    assert lost == {loss.value}


def test_what_a_lost_cluster_trained_is_in_the_queue_again(
    plan: Plan, tmp_path: Path, storage: Storage
) -> None:
    with pytest.raises(ClusterLost):
        run(plan, storage, tmp_path, CutOff(plan))
    (study,) = storage.studies()
    assert storage.totals(study.id).states == {RunState.WAITING: plan.expected_runs}
    (attempt,) = attempts(storage)
    assert attempt[1:] == ("lost", "ClusterLost")


def test_what_ends_a_driver_may_end_its_cluster_first(
    plan: Plan, tmp_path: Path, storage: Storage
) -> None:
    driver, said, record = CutOff(plan), list[str](), stored(plan, storage)
    runner = Runner(
        plan, storage, record, driver, checkpoints=str(tmp_path), device="cpu", say=said.append
    )
    driver.before_its_end = runner.interrupt
    outcome = runner.run()
    assert outcome.interrupted
    assert outcome.states == {RunState.WAITING: plan.expected_runs}
    assert said == ["Nobody answers."]


def test_a_run_that_does_not_fit_alone_has_failed(packed_plan: Plan, tmp_path: Path) -> None:
    storage = Storage(None)
    outcome = run(packed_plan, storage, tmp_path, Obliging(packed_plan, room=0))
    assert set(outcome.states) == {RunState.FAILED}
    storage.close()


@pytest.mark.parametrize(["packs", "state"], [(3, RunState.DONE), (999, RunState.FAILED)])
def test_a_run_for_which_others_leave_no_memory_is_tried_again_and_again(
    plan: Plan,
    tmp_path: Path,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    packs: int,
    state: RunState,
) -> None:
    monkeypatch.setattr(failure_policy, "FIRST_PAUSE_S", 1e-9)
    outcome = run(plan, storage, tmp_path, Crowded(plan, packs))
    assert outcome.states == {state: plan.expected_runs}
    refused = sum(failure == OUT_OF_MEMORY for *_, failure in attempts(storage))
    assert refused == min(packs, plan.expected_runs * FRUITLESS_ATTEMPTS)


def test_runs_of_a_pack_know_what_they_would_have_cost_alone(
    packed_plan: Plan, tmp_path: Path
) -> None:
    storage = Storage(None)
    run(packed_plan, storage, tmp_path, Obliging(packed_plan))
    with storage._database.read() as connection:
        rows = connection.exec_driver_sql("SELECT method_cost_s, solo_cost_s FROM run_results")
        assert set(map(tuple, rows)) == {(0.0, 4.0 * EPOCHS)}
    storage.close()
