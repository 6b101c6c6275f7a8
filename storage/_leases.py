"""Leases on runs: claimed, renewed, taken over from the dead; every move is compare-and-swap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._budgets import Room
from storage._hot import Hot
from storage._studies import PLANNED, now
from storage._tables import (
    attempts,
    checkpoints,
    holders,
    runs,
    searches,
    trials,
)
from storage.limits import Limits
from storage.records import Claim, Claimed, Holder
from storage.states import RunState

_FIRST = Hot(
    sa.select(runs.c.pack_key)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.WAITING,
        runs.c.search_id.not_in(bindparam("barred", expanding=True)),
        PLANNED,
    )
    .order_by(runs.c.queue_rank, runs.c.trial_number, runs.c.seed, runs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CANDIDATES = Hot(
    sa.select(
        runs.c.id,
        runs.c.token,
        runs.c.seed,
        runs.c.role,
        runs.c.search_id,
        runs.c.epochs_planned,
        searches.c.name,
        searches.c.weighting,
        trials.c.params,
    )
    .join(searches, searches.c.id == runs.c.search_id)
    .join(trials, trials.c.id == runs.c.trial_id)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.WAITING,
        runs.c.pack_key == bindparam("pack"),
        runs.c.search_id.not_in(bindparam("barred", expanding=True)),
        PLANNED,
    )
    .order_by(runs.c.queue_rank, runs.c.trial_number, runs.c.seed, runs.c.id)
    .limit(bindparam("n"))
    .with_for_update(skip_locked=True, of=runs)
)
_LEASE = Hot(
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
_ATTEMPT = Hot(attempts.insert().returning(attempts.c.id))
_CHECKPOINTS = Hot(
    sa.select(checkpoints.c.path, checkpoints.c.epoch)
    .where(checkpoints.c.run_id == bindparam("run"))
    .order_by(checkpoints.c.epoch.desc(), checkpoints.c.id.desc())
)
_RENEW = Hot(
    runs.update()
    .where(
        runs.c.state == RunState.LEASED,
        runs.c.holder_id == bindparam("holder"),
        runs.c.id.in_(bindparam("run_ids", expanding=True)),
    )
    .values(lease_until_s=bindparam("until"))
)
_LEASED = Hot(
    sa.select(runs.c.id, runs.c.token, runs.c.lease_until_s, holders)
    .join(holders, holders.c.id == runs.c.holder_id)
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
    .order_by(runs.c.id)  # whoever locks several runs does it in this order
)
_TAKE_BACK = Hot(
    runs.update()
    .where(
        runs.c.id == bindparam("run"),
        runs.c.token == bindparam("old_token"),
        runs.c.state == RunState.LEASED,
        runs.c.lease_until_s <= bindparam("seen_until"),
    )
    .values(state=RunState.WAITING, holder_id=None, lease_until_s=None)
)
_LOSE_ATTEMPT = Hot(
    attempts.update()
    .where(
        attempts.c.run_id == bindparam("run"),
        attempts.c.token == bindparam("old_token"),
        attempts.c.state == "running",
    )
    .values(state="lost", failure=bindparam("why"), ended_at=bindparam("at"))
)


def claim(
    connection: Connection,
    *,
    study_id: int,
    holder_id: int,
    worker_id: int,
    n: int,
    until_s: float,
    limits: Limits | None,
) -> Claimed:
    """Lease up to `n` waiting runs of one pack key, the first in line among them."""
    room = None if limits is None else Room.of(connection, study_id, limits)
    found, exhausted, barred = _allowed(connection, study_id, n, room)
    claims = [_lease(connection, one, study_id, holder_id, worker_id, until_s) for one in found]
    return Claimed(claims=claims, exhausted=exhausted, barred=barred)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A waiting run with its checkpoints, newest first."""

    row: Any
    checkpoints: Sequence[tuple[str, int]]

    @property
    def start(self) -> int:
        """The epoch after which it goes on."""
        return self.checkpoints[0][1] if self.checkpoints else 0


def _allowed(
    connection: Connection, study_id: int, n: int, room: Room | None
) -> tuple[list[_Candidate], str, dict[int, str]]:
    """The next pack as far as limits allow it; searches at their limit are passed over."""
    barred: dict[int, str] = {}
    while True:
        found = _next_pack(connection, study_id, n, list(barred))
        if room is None:
            return found, "", barred
        known = len(barred)
        fitting, exhausted = _fitting(found, room, barred)
        if fitting or exhausted or len(barred) == known:
            return fitting, exhausted, barred


def _next_pack(
    connection: Connection, study_id: int, n: int, barred: list[int]
) -> list[_Candidate]:
    queue = {"study": study_id, "barred": barred}
    first = _FIRST.rows(connection, queue)
    if not first:
        return []
    found = _CANDIDATES.rows(connection, {**queue, "pack": first[0].pack_key, "n": n})
    return [
        _Candidate(
            row=row,
            checkpoints=tuple(
                (saved.path, saved.epoch)
                for saved in (_CHECKPOINTS.rows(connection, {"run": row.id}) if row.token else ())
            ),
        )
        for row in found
    ]


def _fitting(
    found: Sequence[_Candidate], room: Room, barred: dict[int, str]
) -> tuple[list[_Candidate], str]:
    """Those there is room for, and the study's limit that refused one; adds to `barred`."""
    fitting: list[_Candidate] = []
    for one in found:
        search, epochs = one.row.search_id, one.row.epochs_planned - one.start
        if search in barred:
            continue
        if refused := room.search_refuses(search, epochs):
            barred[search] = refused
        elif exhausted := room.study_refuses(epochs):
            return fitting, exhausted
        else:
            room.take(search, epochs)
            fitting.append(one)
    return fitting, ""


def _lease(
    connection: Connection,
    one: _Candidate,
    study_id: int,
    holder_id: int,
    worker_id: int,
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
    (attempt,) = _ATTEMPT.rows(
        connection,
        {
            "study_id": study_id,
            "run_id": row.id,
            "worker_id": worker_id,
            "token": token,
            "kind": "run",
            "state": "running",
            "started_at": now(),
        },
    )
    return Claim(
        run=row.id,
        token=token,
        attempt=attempt.id,
        search=row.name,
        role=row.role,
        weighting=row.weighting,
        params=row.params,
        seed=row.seed,
        checkpoints=one.checkpoints,
    )


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


def take_back(
    connection: Connection, run: int, token: int, why: str, seen_until_s: float = math.inf
) -> bool:
    """Return a leased run to the queue; False if it was moved, or renewed, meanwhile."""
    seen = {"run": run, "old_token": token, "seen_until": seen_until_s}
    if _TAKE_BACK.run(connection, seen) == 0:
        return False
    _LOSE_ATTEMPT.run(connection, {"run": run, "old_token": token, "why": why, "at": now()})
    return True
