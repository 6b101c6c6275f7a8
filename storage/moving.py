"""Moving: another try for failed runs, and what becomes of paused ones; no worker holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import now
from storage.records import Verdict
from storage.schema.tables import attempts, runs
from storage.states import RunState

Retried = Literal["failed", "lost"]
_LOST = ("WorkerLost", "NodeLost", "TimeLimit")
"""Failures that are not of the run's own making."""

_RETRY = (
    runs.update()
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.FAILED)
    .values(state=RunState.WAITING, reason="", ended_at=None)
)
_RETRY_LOST = _RETRY.where(
    sa.exists().where(
        attempts.c.run_id == runs.c.id,
        attempts.c.token == runs.c.token,
        attempts.c.failure.in_(_LOST),
    )
)
_PAUSED = (
    runs.c.id == bindparam("run"),
    runs.c.token == bindparam("old_token"),
    runs.c.state == RunState.PAUSED,
)
_PRUNE = (
    runs.update()
    .where(*_PAUSED)
    .values(state=RunState.PRUNED, reason=bindparam("why"), ended_at=bindparam("at"))
)
_RESUME = (
    runs.update()
    .where(*_PAUSED)
    .values(
        state=RunState.WAITING,
        epochs_planned=bindparam("until"),
        pack_key=bindparam("pack"),
        ended_at=None,
    )
)


class Moving(OpenedDatabase):
    """The part of `storage.Storage` that moves runs which no worker holds."""

    @retried
    def retry(self, study_id: int, which: Retried) -> int:
        """Return failed runs to the queue, or only those lost with their workers; how many.

        Their attempts stay.
        """
        statement = _RETRY_LOST if which == "lost" else _RETRY
        with self._database.write() as connection:
            return int(connection.execute(statement, {"study": study_id}).rowcount)

    @retried
    def judge(self, verdicts: Sequence[Verdict]) -> frozenset[int]:
        """Let runs that are paused at a rung go on, or end for good; returns those that were moved.

        All of them at once, so that a rung is judged by one driver and one baseline. Runs that
        were moved meanwhile are left alone.
        """
        in_order = sorted(verdicts, key=lambda verdict: verdict.run)  # as whoever locks several
        with self._database.write() as connection:
            return frozenset(v.run for v in in_order if _leave_pause(connection, v))


def _leave_pause(connection: Connection, verdict: Verdict) -> bool:
    here: dict[str, Any] = {"run": verdict.run, "old_token": verdict.token}
    if verdict.until_epoch is None:
        moved = connection.execute(_PRUNE, {**here, "why": verdict.reason, "at": now()})
    else:
        further = {"until": verdict.until_epoch, "pack": verdict.pack_key}
        moved = connection.execute(_RESUME, {**here, **further})
    return bool(moved.rowcount)
