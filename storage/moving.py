"""Moving: another try for failed runs, and what becomes of paused ones; no worker holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.audit import Audited
from storage.planning.studies import record_of
from storage.planning.writing import lock_runs, next_change, now
from storage.records import Verdict
from storage.schema.tables import attempts, runs
from storage.states import RunState

Retried = Literal["failed", "lost"]
_LOST = ("WorkerLost", "NodeLost", "TimeLimit")
"""Failures that are not of the run's own making."""

_FAILED = (
    sa.select(runs.c.id)
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.FAILED)
    .order_by(runs.c.id)
    .with_for_update(of=runs)
)
_FAILED_LOST = _FAILED.join(
    attempts, sa.and_(attempts.c.run_id == runs.c.id, attempts.c.token == runs.c.token)
).where(attempts.c.failure.in_(_LOST))
_RETRY = (
    runs.update()
    .where(runs.c.id == bindparam("run"))
    .values(state=RunState.WAITING, reason="", ended_at=None, change=bindparam("number"))
)
_PAUSED = (
    runs.c.id == bindparam("run"),
    runs.c.token == bindparam("old_token"),
    runs.c.state == RunState.PAUSED,
)
_PRUNE = (
    runs.update()
    .where(*_PAUSED)
    .values(
        state=RunState.PRUNED,
        reason=bindparam("why"),
        ended_at=bindparam("at"),
        change=bindparam("number"),
    )
)
_RESUME = (
    runs.update()
    .where(*_PAUSED)
    .values(
        state=RunState.WAITING,
        epochs_planned=bindparam("until"),
        pack_key=bindparam("pack"),
        ended_at=None,
        change=bindparam("number"),
    )
)


class Moving(Audited):
    """The part of `storage.Storage` that moves runs which no worker holds."""

    @retried
    def retry(self, study_id: int, which: Retried) -> int:
        """Return failed runs to the queue, or only those lost with their workers; how many.

        Their attempts stay.
        """
        statement = _FAILED_LOST if which == "lost" else _FAILED
        with self._database.write() as connection:
            found = connection.scalars(statement, {"study": study_id}).all()
            if found:
                change = next_change(connection, study_id)
                connection.execute(_RETRY, [{"run": run, "number": change} for run in found])
                study = record_of(connection, study_id)
                before, after = {"failed": len(found), "which": which}, {"waiting": len(found)}
                self._note(connection, study, "retry", before=before, after=after)
            return len(found)

    @retried
    def judge(self, verdicts: Sequence[Verdict]) -> frozenset[int]:
        """Let runs that are paused at a rung go on, or end for good; returns those that were moved.

        All of them at once, so that a rung is judged by one driver and one baseline. Runs that
        were moved meanwhile are left alone.
        """
        in_order = sorted(verdicts, key=lambda verdict: verdict.run)
        with self._database.write() as connection:
            study_id = lock_runs(connection, [verdict.run for verdict in in_order])
            if study_id is None:
                return frozenset()
            change = next_change(connection, study_id)
            return frozenset(v.run for v in in_order if _leave_pause(connection, v, change))


def _leave_pause(connection: Connection, verdict: Verdict, change: int) -> bool:
    here: dict[str, Any] = {"run": verdict.run, "old_token": verdict.token, "number": change}
    if verdict.until_epoch is None:
        moved = connection.execute(_PRUNE, {**here, "why": verdict.reason, "at": now()})
    else:
        further = {"until": verdict.until_epoch, "pack": verdict.pack_key}
        moved = connection.execute(_RESUME, {**here, **further})
    return bool(moved.rowcount)
