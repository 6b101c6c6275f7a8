"""A storage with short words for what drivers do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import sqlalchemy as sa

from storage import RunState, Storage
from storage.leasing.leases import Lost
from storage.limits import Limits
from storage.objectives import known
from storage.records import (
    Baseline,
    BaselineValue,
    Claim,
    Claimed,
    Decision,
    Ending,
    EpochRecord,
    Holder,
    NewRun,
    Proposal,
    Recorded,
    Reference,
    RunOutcome,
    Spent,
    StudyRecord,
)
from storage.schema.views import ORDER
from storage.states import Liveness

METRICS = (("a", "error", "min"), ("b", "score", "max"))
OBJECTIVES = known(METRICS)
DELTA_M = {"ew": OBJECTIVES["delta_m"]}
PRIMARY = {"stl/a": OBJECTIVES["a.error"], "stl/b": OBJECTIVES["b.score"]}
SEARCHES = (("stl/a", "baseline", "stl"), ("stl/b", "baseline", "stl"), ("ew", "search", "ew"))

Epoch = tuple[float, float]  # value of metric a on validation, on test


class FakeClock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """One database, one study and one driver with one worker on it."""

    def __init__(self, url: str | None, *, pid: int = 1) -> None:
        self.url = url or ""  # of a database in memory there is none
        self.clock = FakeClock()
        self.storage = Storage(url, clock=self.clock)
        self.study = self.save()
        self.holder = holder(pid)
        self.holder_id = self.storage.register_holder(self.holder)
        self.worker_id = self.add_worker()

    def save(
        self, name: str = "demo", searches: Sequence[tuple[str, str, str]] = SEARCHES
    ) -> StudyRecord:
        return self.storage.save_study(
            name=name, spec={"seeds": [0]}, card={}, fingerprint="f", searches=searches
        )

    def add_worker(self, startup_s: float = 0.0, *, price_per_h: float | None = None) -> int:
        return self.storage.register_worker(
            study_id=self.study.id,
            holder_id=self.holder_id,
            pid=7,
            environment={"code": "1.0", "device": "cpu", "cpu": "a cpu", "host": "here"},
            startup_s=startup_s,
            price_per_h=price_per_h,
        )

    def search(self, name: str = "ew") -> int:
        found = {search.name: search.id for search in self.storage.searches(self.study.id)}
        return found[name]

    def propose(
        self,
        *points: str,
        search: str = "ew",
        stage: int = 0,
        number: int = 0,
        retired: Sequence[str] = (),
    ) -> None:
        self.storage.propose(
            self.search(search),
            stage=stage,
            kind="grid",
            tuned="lr",
            new=[Proposal(params=point, written=point, round=number) for point in points],
            retired=retired,
        )

    def add_runs(
        self,
        *points: str,
        search: str = "ew",
        seeds: Sequence[int] = (0,),
        rank: int = 5,
        pack: str = "pack",
        role: str = "search",
        parent: tuple[int, int] | None = None,
    ) -> None:
        self.storage.add_runs(
            self.search(search),
            [
                NewRun(
                    params=point,
                    seed=seed,
                    role=role,
                    run_key=f"{search}/{point}/{seed}",
                    pack_key=pack,
                    queue_rank=rank,
                    epochs=3,
                    parent=parent,
                )
                for point in points
                for seed in seeds
            ],
        )

    def plan(
        self,
        *points: str,
        search: str = "ew",
        seeds: Sequence[int] = (0,),
        rank: int = 5,
        pack: str = "pack",
        role: str = "search",
    ) -> None:
        """Propose points and add their runs."""
        self.propose(*points, search=search)
        self.add_runs(*points, search=search, seeds=seeds, rank=rank, pack=pack, role=role)

    def claim(self, n: int = 1, *, lease_s: float = 60.0) -> list[Claim]:
        return list(self.claimed(n, lease_s=lease_s).claims)

    def claimed(
        self,
        n: int | Callable[[int, str], int] = 1,
        *,
        lease_s: float = 60.0,
        shares: int = 1,
        in_training: float = 0.0,
        limits: Limits | None = None,
        run: int | None = None,
    ) -> Claimed:
        return self.storage.claim(
            self.study.id,
            holder_id=self.holder_id,
            worker_id=self.worker_id,
            n=n,
            lease_s=lease_s,
            shares=shares,
            in_training=in_training,
            limits=limits,
            run=run,
        )

    def claim_one(self) -> Claim:
        (claim,) = self.claim(1)
        return claim

    def train(self, claim: Claim, *curve: Epoch, b: float = 0.5) -> Recorded:
        """Report all epochs of a run and its end; metric b is the same all along."""
        return self.storage.record(
            [*(epoch(claim, i + 1, *values, b=b) for i, values in enumerate(curve)), end(claim)]
        )

    def outcomes(self, search: str = "ew") -> Sequence[RunOutcome]:
        return self.storage.history(self.search(search)).outcomes

    def outcome(self, run: int, search: str = "ew") -> RunOutcome:
        return next(outcome for outcome in self.outcomes(search) if outcome.run == run)

    def view(self, name: str) -> list[dict[str, Any]]:
        """Rows of a view, as a memory database can be read from its own storage only."""
        with self.storage._database.read() as connection:
            query = f"SELECT * FROM {name} ORDER BY {ORDER[name]}"
            return [dict(row._mapping) for row in connection.exec_driver_sql(query)]

    def attempts(self, run: int) -> list[dict[str, Any]]:
        """Rows of `attempt_costs` of one run, oldest first."""
        return [row for row in self.view("attempt_costs") if row["run"] == run]

    def take_back(self, *dead: Holder) -> int:
        """Take back what `dead` holders have, and what others have for too long."""
        return self.storage.take_back(
            self.study.id,
            liveness=lambda holder: Liveness.DEAD if holder in dead else Liveness.UNKNOWN,
        )


def holder(pid: int = 1) -> Holder:
    return Holder(host="here", boot_id="boot", pid=pid, process_start="0")


def claimed(bench: Bench) -> Claim:
    """A run of a new point, leased."""
    bench.plan("a")
    return bench.claim_one()


def epoch(
    claim: Claim,
    number: int,
    validation: float,
    test: float,
    *,
    b: float = 0.5,
    spent: Spent | None = None,
    solo_s: float | None = None,
) -> EpochRecord:
    """An epoch's report with metric a as given and metric b the same on both splits."""
    values = (
        ("train", "a", "loss", 2.0),
        ("validation", "a", "error", validation),
        ("validation", "b", "score", b),
        ("test", "a", "error", test),
        ("test", "b", "score", b),
    )
    if spent is None:
        spent = Spent(train_s=1.0, validation_s=0.5, samples=8, grad_evals=2)
    return EpochRecord(
        run=claim.run, token=claim.token, epoch=number, values=values, spent=spent, solo_s=solo_s
    )


def end(
    claim: Claim, state: RunState = RunState.DONE, *, after: int = 3, reason: str = ""
) -> Ending:
    return Ending(
        run=claim.run,
        token=claim.token,
        state=state,
        epoch=after,
        spent=Spent(test_s=0.25),
        reason=reason,
    )


def baseline(name: str = "b1", *, error: float = 0.2, score: float = 0.5) -> Baseline:
    """Imported single-task numbers, the same on both splits."""
    return Baseline(
        hash=name,
        source="imported",
        values=tuple(
            BaselineValue(task=task, metric=metric, split=split, value=value)
            for task, metric, value in (("a", "error", error), ("b", "score", score))
            for split in ("test", "validation")
        ),
    )


def reference(against: Baseline) -> Reference:
    return Reference(baseline=against, delta_m=OBJECTIVES["delta_m"])


def decision(stage: int, params: str, value: float = -1.0) -> Decision:
    return Decision(
        stage=stage,
        params=params,
        value=value,
        members="m",
        baseline_hash="b1",
        objective="delta_m",
    )


def lost(claim: Claim) -> Lost:
    return Lost(run=claim.run, token=claim.token, failure="WorkerLost", text="")


def wait_until_blocked(watcher: Storage, other: Future[Any]) -> None:
    """Until another transaction waits for a lock of PostgreSQL (or has gone through without)."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with watcher._database.read() as connection:
        while not other.done() and connection.scalar(waiting) == 0:
            pass
