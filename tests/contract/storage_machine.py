"""Several drivers that do what they like in whatever order: runs and costs must add up.

A model in plain Python says what must come of each step; the database is compared with it after
every one.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from storage import RunState
from storage.records import (
    Claim,
    Holder,
    Report,
    Verdict,
)
from storage.states import Liveness
from tests.contract.storage_backends import postgres_schema
from tests.contract.storage_bench import Bench
from tests.contract.storage_machine_reports import (
    checkpoint_report,
    end_report,
    epoch_report,
    value_of,
)

_DRIVERS = 3
_LEASE_S = 60.0
_POINTS = ("a", "b", "c")

_ENDINGS = st.sampled_from(
    [RunState.DONE, RunState.DIVERGED, RunState.FAILED, RunState.PAUSED, RunState.WAITING]
)
# quarters add up without rounding, in any order
_COSTS = st.integers(0, 40).map(lambda quarters: quarters / 4)


@dataclass(kw_only=True)
class Attempt:
    """What one execution of a run has reported and got accepted."""

    claim: Claim
    driver: int
    epoch: int
    state: str = "running"
    device_s: float = 0.0
    epochs: int = 0


@dataclass(kw_only=True)
class Run:
    """Where a run must stand."""

    state: RunState = RunState.WAITING
    lease_until_s: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)
    stored: set[int] = field(default_factory=set)

    @property
    def token(self) -> int:
        return len(self.attempts)


class Drivers(RuleBasedStateMachine):
    """Three drivers on one database, each with its own connection."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        url = self._stack.enter_context(self.database())
        self.drivers = [Bench(url, pid=number) for number in range(_DRIVERS)]
        self.runs: dict[int, Run] = {}
        self.ended: Counter[int] = Counter()

    def database(self) -> Any:
        return _file()

    def teardown(self) -> None:
        for driver in self.drivers:
            driver.storage.close()
        self._stack.close()

    @initialize()
    def plan(self) -> None:
        first = self.drivers[0]
        first.propose(*_POINTS)
        first.add_runs(*_POINTS[:2], seeds=(0, 1), pack="one")
        first.add_runs(*_POINTS[2:], seeds=(0, 1), pack="two")
        self.runs = {outcome.run: Run() for outcome in first.outcomes()}

    @rule(driver=st.integers(0, _DRIVERS - 1), n=st.integers(1, 3))
    def claim(self, driver: int, n: int) -> None:
        claims = self.drivers[driver].claim(n, lease_s=_LEASE_S)
        waiting = [run for run, model in self.runs.items() if model.state is RunState.WAITING]
        assert bool(claims) == bool(waiting)
        for claim in claims:
            model = self.runs[claim.run]
            assert model.state is RunState.WAITING
            assert claim.token == model.token + 1
            reached = max((epoch for _, epoch in claim.checkpoints), default=0)
            model.attempts.append(Attempt(claim=claim, driver=driver, epoch=reached))
            model.state, model.lease_until_s = RunState.LEASED, self._now_s + _LEASE_S

    @precondition(lambda self: self._attempts())
    @rule(data=st.data(), costs=st.lists(_COSTS, min_size=1, max_size=3), then=st.booleans())
    def report(self, data: st.DataObject, costs: Sequence[float], then: bool) -> None:
        """Some epochs of an attempt, old or new, and perhaps a checkpoint after them."""
        attempt = data.draw(st.sampled_from(self._attempts()))
        current = self._is_current(attempt)
        reports: list[Report] = [
            epoch_report(attempt.claim, attempt.epoch + place, cost, current)
            for place, cost in enumerate(costs, 1)
        ]
        if then:
            reports.append(checkpoint_report(attempt.claim, attempt.epoch + len(costs)))
        self._record(attempt, reports, accepted=current)
        if current:
            model = self.runs[attempt.claim.run]
            model.stored |= {attempt.epoch + place for place in range(1, len(costs) + 1)}
            attempt.epoch += len(costs)
            attempt.epochs += len(costs)
            attempt.device_s += sum(costs) + (0.5 if then else 0.0)

    @precondition(lambda self: self._attempts())
    @rule(data=st.data(), state=_ENDINGS, cost=_COSTS)
    def end(self, data: st.DataObject, state: RunState, cost: float) -> None:
        attempt = data.draw(st.sampled_from(self._attempts()))
        model = self.runs[attempt.claim.run]
        current = self._is_current(attempt)
        if attempt is model.attempts[-1] and model.state is state:
            return  # an ending said twice is another promise
        self._record(
            attempt, [end_report(attempt.claim, attempt.epoch, state, cost)], accepted=current
        )
        if current:
            model.state = state
            attempt.state = _ATTEMPT_STATES[state]
            attempt.device_s += cost
            attempt.epochs += state is RunState.DIVERGED  # the epoch in which it did was trained
            self.ended[attempt.claim.run] += state is RunState.DONE

    @rule(driver=st.integers(0, _DRIVERS - 1), data=st.data())
    def renew(self, driver: int, data: st.DataObject) -> None:
        """A driver renews what it likes; only its own leases are put off."""
        runs = sorted(self.runs)
        chosen = data.draw(st.just(runs) | st.sets(st.sampled_from(runs)))
        bench = self.drivers[driver]
        bench.storage.renew(bench.holder_id, sorted(chosen), lease_s=_LEASE_S)
        for run in chosen:
            model = self.runs[run]
            if model.state is RunState.LEASED and model.attempts[-1].driver == driver:
                model.lease_until_s = self._now_s + _LEASE_S

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        for driver in self.drivers:
            driver.clock.now_s += seconds

    @rule(
        sweeper=st.integers(0, _DRIVERS - 1),
        seen=st.just([Liveness.UNKNOWN] * _DRIVERS)
        | st.lists(st.sampled_from(Liveness), min_size=_DRIVERS, max_size=_DRIVERS),
    )
    def take_back(self, sweeper: int, seen: Sequence[Liveness]) -> None:
        """One driver sweeps; it sees the others as dead, as alive, or cannot tell."""
        bench = self.drivers[sweeper]

        def liveness(holder: Holder) -> Liveness:
            return seen[holder.pid]

        taken = bench.storage.take_back(bench.study.id, liveness=liveness)
        lost = [run for run in self.runs.values() if self._is_lost(run, seen)]
        for model in lost:
            model.state, model.attempts[-1].state = RunState.WAITING, "lost"
        assert taken == len(lost)

    @precondition(lambda self: self._attempts())
    @rule(data=st.data())
    def lose_a_worker(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self._attempts()))
        claim, current = attempt.claim, self._is_current(attempt)
        storage = self.drivers[attempt.driver].storage
        assert storage.take_back_run(claim.run, claim.token, "WorkerLost", "") is current
        if current:
            self.runs[claim.run].state, attempt.state = RunState.WAITING, "lost"

    @rule(which=st.sampled_from(["failed", "lost"]))
    def retry(self, which: Literal["failed", "lost"]) -> None:
        bench = self.drivers[0]
        failed = [run for run in self.runs.values() if run.state is RunState.FAILED]
        again = failed if which == "failed" else []  # none failed for a lost worker
        assert bench.storage.retry(bench.study.id, which) == len(again)
        for model in again:
            model.state = RunState.WAITING

    @precondition(lambda self: self._attempts())
    @rule(data=st.data(), goes_on=st.booleans())
    def decide_at_a_rung(self, data: st.DataObject, goes_on: bool) -> None:
        attempt = data.draw(st.sampled_from(self._attempts()))
        model, claim = self.runs[attempt.claim.run], attempt.claim
        paused = model.state is RunState.PAUSED and attempt is model.attempts[-1]
        storage = self.drivers[attempt.driver].storage
        until = {"until_epoch": 3, "pack_key": "pack"} if goes_on else {}
        verdict = Verdict(run=claim.run, token=claim.token, **until)  # type: ignore[arg-type]
        assert storage.judge([verdict]) == ({claim.run} if paused else frozenset())
        if paused:
            model.state = RunState.WAITING if goes_on else RunState.PRUNED

    @invariant()
    def runs_stand_where_they_must(self) -> None:
        rows = self.drivers[0].view("run_results")
        assert {row["run"]: row["state"] for row in rows} == {
            run: model.state for run, model in self.runs.items()
        }

    @invariant()
    def no_run_is_done_twice(self) -> None:
        assert all(times <= 1 for times in self.ended.values())

    @invariant()
    def attempts_add_up(self) -> None:
        rows = [row for row in self.drivers[0].view("attempt_costs") if row["run"] is not None]
        found = {run: [] for run in self.runs}
        for row in rows:
            found[row["run"]].append((row["state"], row["device_s"], row["epochs"]))
        assert found == {
            run: [(a.state, a.device_s, a.epochs) for a in model.attempts]
            for run, model in self.runs.items()
        }
        running = Counter(row["run"] for row in rows if row["state"] == "running")
        assert all(times == 1 for times in running.values())

    @invariant()
    def the_study_has_paid_for_all_attempts(self) -> None:
        bench = self.drivers[-1]
        totals = bench.storage.totals(bench.study.id)
        attempts = self._attempts()
        assert totals.device_s == sum(attempt.device_s for attempt in attempts)
        assert totals.epochs == sum(attempt.epochs for attempt in attempts)

    @invariant()
    def epochs_are_those_that_were_accepted(self) -> None:
        rows = self.drivers[0].view("epoch_metrics")
        assert all(row["value"] == value_of(row["run"], row["epoch"]) for row in rows)
        assert {(row["run"], row["epoch"]) for row in rows} == {
            (run, epoch) for run, model in self.runs.items() for epoch in model.stored
        }

    @property
    def _now_s(self) -> float:
        return self.drivers[0].clock.now_s

    def _attempts(self) -> list[Attempt]:
        return [attempt for run in self.runs.values() for attempt in run.attempts]

    def _is_current(self, attempt: Attempt) -> bool:
        model = self.runs[attempt.claim.run]
        return model.state is RunState.LEASED and attempt is model.attempts[-1]

    def _is_lost(self, run: Run, seen: Sequence[Liveness]) -> bool:
        if run.state is not RunState.LEASED:
            return False
        found = seen[run.attempts[-1].driver]
        expired = run.lease_until_s < self._now_s
        return found is Liveness.DEAD or (found is Liveness.UNKNOWN and expired)

    def _record(self, attempt: Attempt, reports: Sequence[Report], *, accepted: bool) -> None:
        recorded = self.drivers[attempt.driver].storage.record(reports)
        assert len(recorded.rejected) == (0 if accepted else len(reports))


class DriversOnPostgres(Drivers):
    def database(self) -> Any:
        return postgres_schema()


_ATTEMPT_STATES = {
    RunState.DONE: "finished",
    RunState.DIVERGED: "finished",
    RunState.PAUSED: "finished",
    RunState.FAILED: "failed",
    RunState.WAITING: "released",
}


class _file:
    """The URL of a SQLite file that is gone at the end."""

    def __enter__(self) -> str:
        self._folder = tempfile.TemporaryDirectory()
        return f"sqlite:///{Path(self._folder.name) / 'study.db'}"

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()
