"""Workforce: who has trained for a study, what each does now, and when anything last happened."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.leasing.budgets import DEVICE_S
from storage.planning.opened import OpenedDatabase
from storage.records import WorkerStatus
from storage.schema.tables import attempts, environments, workers

_LATEST = 50  # attempts among which the last thing that happened is looked for
_OF_STUDY = attempts.c.study_id == bindparam("study")
_LAST = (
    sa.select(attempts.c.started_at, attempts.c.ended_at)
    .where(_OF_STUDY)
    .order_by(attempts.c.id.desc())
    .limit(_LATEST)
)
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
_NOW = (
    sa.select(attempts.c.worker_id, attempts.c.run_id)
    .where(_OF_STUDY, _RUNNING, attempts.c.worker_id.is_not(None))
    .order_by(attempts.c.worker_id, attempts.c.run_id)
)
_COUNT = (
    sa.select(sa.func.count()).select_from(workers).where(workers.c.study_id == bindparam("study"))
)


class Workforce(OpenedDatabase):
    """The part of `storage.Reader` that looks at workers."""

    @retried
    def last_event(self, study_id: int) -> datetime | None:
        """When one of the latest attempts last began or ended; None before the first."""
        with self._database.read() as connection:
            found = connection.execute(_LAST, {"study": study_id}).all()
        return max((moment for row in found for moment in row if moment), default=None)

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
                lost=row.lost,
                epochs=row.epochs,
                device_s=row.device_s,
                started=row.started_at,
                last=row.last,
                runs=tuple(run for run in doing[row.id] if run is not None),
                busy=bool(doing[row.id]),
            )
            for row in found
        ]
