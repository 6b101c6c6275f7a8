"""Workforce: who has trained for a study, and what each does now."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.leasing.budgets import DEVICE_S
from storage.planning.opened import OpenedDatabase
from storage.records import Lease, WorkerProcess, WorkerStatus
from storage.schema.dialects import now_s
from storage.schema.tables import attempts, environments, holders, runs, workers
from storage.states import RunState

_OF_STUDY = attempts.c.study_id == bindparam("study")
_RUNNING = sa.and_(attempts.c.state == "running", attempts.c.ended_at.is_(None))
_WORKERS = (
    sa.select(
        workers.c.id,
        workers.c.host,
        environments.c.device,
        workers.c.started_at,
        sa.func.count().label("attempts"),
        sa.func.sum(sa.case((attempts.c.state == "lost", 1), else_=0)).label("lost"),
        sa.func.sum(attempts.c.epochs).label("epochs"),
        sa.func.sum(DEVICE_S).label("device_s"),
        sa.func.max(sa.func.coalesce(attempts.c.ended_at, attempts.c.started_at)).label("last"),
    )
    .join(attempts, attempts.c.worker_id == workers.c.id)
    .join(environments, environments.c.id == workers.c.environment_id)
    .where(workers.c.study_id == bindparam("study"))
    .group_by(workers.c.id, workers.c.host, environments.c.device, workers.c.started_at)
    .order_by(workers.c.id.desc())
    .limit(bindparam("n"))
)
_PROCESSES = (
    sa.select(workers.c.id, workers.c.host, environments.c.device, workers.c.started_at)
    .join(environments, environments.c.id == workers.c.environment_id)
    .where(workers.c.study_id == bindparam("study"))
    .order_by(workers.c.id.desc())
    .limit(bindparam("n"))
)
_NOW = (
    sa.select(attempts.c.worker_id, attempts.c.run_id)
    .where(_OF_STUDY, _RUNNING, attempts.c.worker_id.is_not(None))
    .order_by(attempts.c.worker_id, attempts.c.run_id)
)
_IS_LEASED = sa.and_(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
_LAST_LEASE = sa.select(sa.func.max(runs.c.lease_until_s)).where(_IS_LEASED)
_N_LEASED = sa.select(sa.func.count()).select_from(runs).where(_IS_LEASED)
_LEASED = (
    sa.select(
        runs.c.id,
        runs.c.epochs_done,
        runs.c.lease_until_s,
        attempts.c.worker_id,
        attempts.c.started_at,
        holders.c.host,
        holders.c.pid,
    )
    .join(attempts, sa.and_(attempts.c.run_id == runs.c.id, attempts.c.token == runs.c.token))
    .join(holders, holders.c.id == runs.c.holder_id)
    .where(_IS_LEASED)
    .order_by(runs.c.lease_until_s, runs.c.id)
    .limit(bindparam("n"))
)
_COUNT = (
    sa.select(sa.func.count()).select_from(workers).where(workers.c.study_id == bindparam("study"))
)


class Workforce(OpenedDatabase):
    """The part of `storage.Reader` that looks at workers."""

    @retried
    def worker_status(self, study_id: int, *, limit: int) -> tuple[int, list[WorkerStatus]]:
        """How many workers there were, and the latest of them, the last one first."""
        here = {"study": study_id}
        doing: defaultdict[int, list[int | None]] = defaultdict(list)
        with self._database.read() as connection:
            for worker, run in connection.execute(_NOW, here):
                doing[worker].append(run)
            found = connection.execute(_WORKERS, {**here, "n": limit}).all()
            n = connection.execute(_COUNT, here).scalar_one()
        return n, [
            WorkerStatus(
                worker=row.id,
                host=row.host,
                device=row.device,
                attempts=row.attempts,
                lost=int(row.lost),
                epochs=int(row.epochs),
                device_s=row.device_s,
                started=row.started_at,
                last=row.last,
                runs=tuple(run for run in doing[row.id] if run is not None),
                busy=bool(doing[row.id]),
            )
            for row in found
        ]

    @retried
    def worker_processes(self, study_id: int, *, limit: int) -> tuple[int, list[WorkerProcess]]:
        """The same without what they have done, which takes a look at all attempts."""
        here = {"study": study_id}
        with self._database.read() as connection:
            found = connection.execute(_PROCESSES, {**here, "n": limit}).all()
            n = connection.execute(_COUNT, here).scalar_one()
        return n, [
            WorkerProcess(worker=row.id, host=row.host, device=row.device, started=row.started_at)
            for row in found
        ]

    @retried
    def is_held(self, study_id: int) -> bool:
        """Whether the lease of some run has not run out: a driver renews it."""
        with self._database.read() as connection:
            until_s = connection.execute(_LAST_LEASE, {"study": study_id}).scalar_one()
            return until_s is not None and until_s > now_s(connection)

    @retried
    def leases(self, study_id: int, *, limit: int) -> tuple[int, list[Lease]]:
        """How many runs are held, and those among them whose lease runs out first."""
        here = {"study": study_id}
        with self._database.read() as connection:
            time_s = now_s(connection)
            n = connection.execute(_N_LEASED, here).scalar_one()
            found = connection.execute(_LEASED, {**here, "n": limit}).all()
        return n, [_lease(row, time_s) for row in found]


def _lease(row: Any, time_s: float) -> Lease:
    until_s = row.lease_until_s
    return Lease(
        run=row.id,
        worker=row.worker_id,
        host=row.host,
        pid=row.pid,
        since=row.started_at,
        epochs=row.epochs_done,
        until=None if until_s is None else datetime.fromtimestamp(until_s, UTC),
        left_s=None if until_s is None else until_s - time_s,
    )
