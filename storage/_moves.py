"""Moves of runs that no worker makes: another try, and what becomes of paused ones."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._studies import now
from storage._tables import attempts, runs
from storage.states import RunState

Retried = Literal["failed", "lost"]
_LOST = ("WorkerLost", "TimeLimit")
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
_LEAVE_PAUSE = (
    runs.update()
    .where(
        runs.c.id == bindparam("run"),
        runs.c.token == bindparam("old_token"),
        runs.c.state == RunState.PAUSED,
    )
    .values(state=bindparam("new_state"), ended_at=bindparam("at"))
)


def retry(connection: Connection, study_id: int, which: Retried) -> int:
    """Return failed runs to the queue; their attempts stay. Returns how many."""
    statement = _RETRY_LOST if which == "lost" else _RETRY
    return int(connection.execute(statement, {"study": study_id}).rowcount)


def prune(connection: Connection, run: int, token: int) -> bool:
    """End a paused run for good; False if it was moved meanwhile."""
    return _leave_pause(connection, run, token, RunState.PRUNED)


def resume(connection: Connection, run: int, token: int) -> bool:
    """Return a paused run to the queue; False if it was moved meanwhile."""
    return _leave_pause(connection, run, token, RunState.WAITING)


def _leave_pause(connection: Connection, run: int, token: int, state: RunState) -> bool:
    at = now() if state is RunState.PRUNED else None
    moved = connection.execute(
        _LEAVE_PAUSE, {"run": run, "old_token": token, "new_state": state, "at": at}
    )
    return int(moved.rowcount) == 1
