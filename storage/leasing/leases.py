"""Leases on runs: claimed, renewed, taken over from the dead; every move is compare-and-swap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.leasing.budgets import Room, Settled
from storage.leasing.queue import Candidate, Size, next_pack, the_run
from storage.limits import Limits
from storage.planning.studies import now
from storage.records import Claim, Claimed, Holder
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import (
    attempts,
    epochs,
    holders,
    runs,
)
from storage.states import RunState

_LEASE = PreparedStatement(
    runs.update()
    .where(
        runs.c.id == bindparam("run"),
        runs.c.token == bindparam("old_token"),
        runs.c.state == RunState.WAITING,
    )
    .values(
        state=RunState.LEASED,
        token=bindparam("new_token"),
        holder_id=bindparam("holder"),
        lease_until_s=bindparam("until"),
        epochs_done=bindparam("start"),
    )
)
_ATTEMPT = PreparedStatement(attempts.insert().returning(attempts.c.id))
# A training function resumes by itself, and may go on behind what was written of it before it died.
_RECORDED = PreparedStatement(
    sa.select(sa.func.max(epochs.c.epoch).label("last")).where(epochs.c.run_id == bindparam("run"))
)
_RENEW = PreparedStatement(
    runs.update()
    .where(
        runs.c.state == RunState.LEASED,
        runs.c.holder_id == bindparam("holder"),
        runs.c.id.in_(bindparam("run_ids", expanding=True)),
    )
    .values(lease_until_s=bindparam("until"))
)
_LEASED = PreparedStatement(
    sa.select(runs.c.id, runs.c.token, runs.c.lease_until_s, holders)
    .join(holders, holders.c.id == runs.c.holder_id)
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
    .order_by(runs.c.id)  # whoever locks several runs does it in this order
)
_LEASED_BY = (
    sa.select(runs.c.id, runs.c.token)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.LEASED,
        runs.c.holder_id == bindparam("holder"),
    )
    .order_by(runs.c.id)
)
_TAKE_BACK = PreparedStatement(
    runs.update()
    .where(
        runs.c.id == bindparam("run"),
        runs.c.token == bindparam("old_token"),
        runs.c.state == RunState.LEASED,
        runs.c.lease_until_s <= bindparam("seen_until"),
    )
    .values(state=RunState.WAITING, holder_id=None, lease_until_s=None)
)
_LOSE_ATTEMPT = PreparedStatement(
    attempts.update()
    .where(
        attempts.c.run_id == bindparam("run"),
        attempts.c.token == bindparam("old_token"),
        attempts.c.state == "running",
    )
    .values(
        state="lost",
        failure=bindparam("class"),
        failure_text=bindparam("text"),
        ended_at=bindparam("at"),
        train_s=attempts.c.train_s + bindparam("unbooked"),
    )
)


def claim(
    connection: Connection,
    *,
    study_id: int,
    holder_id: int,
    worker_id: int,
    size: Size,
    until_s: float,
    limits: Limits | None,
    settled: Settled,
    code: str | None,
    run: int | None,
) -> Claimed:
    """Lease waiting runs of one pack key, the first in line among them; or one run, if it waits."""
    room = None if limits is None else Room.of(connection, study_id, limits, settled)
    if run is None:
        found, exhausted, barred = next_pack(connection, study_id, size, room)
    else:
        found, exhausted, barred = the_run(connection, study_id, run, room)
    attempt = {
        "study_id": study_id,
        "worker_id": worker_id,
        "kind": "run",
        "state": "running",
        "started_at": now(),
        "code_fingerprint": code,
    }
    claims = [_lease(connection, one, attempt, holder_id, until_s) for one in found]
    return Claimed(claims=claims, exhausted=exhausted, barred=barred)


def _lease(
    connection: Connection,
    one: Candidate,
    attempt: Mapping[str, object],
    holder_id: int,
    until_s: float,
) -> Claim:
    row, token = one.row, one.row.token + 1
    _LEASE.run(
        connection,
        {
            "run": row.id,
            "old_token": row.token,
            "new_token": token,
            "holder": holder_id,
            "until": until_s,
            "start": one.start,
        },
    )
    (begun,) = _ATTEMPT.rows(connection, {**attempt, "run_id": row.id, "token": token})
    return Claim(
        run=row.id,
        token=token,
        attempt=begun.id,
        key=row.run_key,
        search=row.name,
        role=row.role,
        weighting=row.weighting,
        params=row.params,
        written=row.written,
        seed=row.seed,
        until_epoch=row.epochs_planned,
        checkpoints=one.checkpoints,
        recorded=_recorded(connection, row.id) if row.role == "function" and row.token else 0,
    )


def _recorded(connection: Connection, run: int) -> int:
    (row,) = _RECORDED.rows(connection, {"run": run})
    return row.last or 0


def renew(
    connection: Connection, *, holder_id: int, run_ids: Sequence[int], until_s: float
) -> None:
    """Put off the expiry of a driver's leases, in one statement."""
    _RENEW.run(connection, {"holder": holder_id, "run_ids": list(run_ids), "until": until_s})


def leased(connection: Connection, study_id: int) -> list[tuple[int, int, float, Holder]]:
    """Run, token, expiry and holder of each lease of a study."""
    return [
        (
            row[0],
            row[1],
            row[2],
            Holder(
                host=row.host,
                boot_id=row.boot_id,
                pid=row.pid,
                process_start=row.process_start,
            ),
        )
        for row in _LEASED.rows(connection, {"study": study_id})
    ]


def leased_by(connection: Connection, study_id: int, holder_id: int) -> list[tuple[int, int]]:
    """(run, token) of each lease of a holder in a study."""
    found = connection.execute(_LEASED_BY, {"study": study_id, "holder": holder_id})
    return [(row.id, row.token) for row in found]


def take_back(
    connection: Connection,
    run: int,
    token: int,
    failure: str,
    text: str,
    *,
    seen_until_s: float = math.inf,
    unbooked_s: float = 0.0,
) -> bool:
    """Return a leased run to the queue; False if it was moved, or renewed, meanwhile.

    Args:
        failure: Why it is lost, as a class; `text` says more.
        unbooked_s: Device-seconds since the last report of the attempt, which is paid for.
    """
    seen = {"run": run, "old_token": token, "seen_until": seen_until_s}
    if _TAKE_BACK.run(connection, seen) == 0:
        return False
    why = {"class": failure, "text": text, "at": now(), "unbooked": unbooked_s}
    _LOSE_ATTEMPT.run(connection, {"run": run, "old_token": token, **why})
    return True
