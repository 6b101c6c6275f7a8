"""Leases on runs: claimed, renewed, taken over from the dead; every move is compare-and-swap."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._dialects import insert_ignoring
from storage._studies import PLANNED, add, now
from storage._tables import (
    attempts,
    checkpoints,
    environments,
    holders,
    runs,
    searches,
    trials,
    workers,
)
from storage.records import Claim, Holder
from storage.states import RunState

_FIRST = (
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
_CANDIDATES = (
    sa.select(
        runs.c.id,
        runs.c.token,
        runs.c.seed,
        runs.c.role,
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
_LEASE = (
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
    )
)
_ATTEMPT = attempts.insert()
_CHECKPOINTS = (
    sa.select(checkpoints.c.path, checkpoints.c.epoch)
    .where(checkpoints.c.run_id == bindparam("run"))
    .order_by(checkpoints.c.epoch.desc(), checkpoints.c.id.desc())
)
_RENEW = (
    runs.update()
    .where(
        runs.c.state == RunState.LEASED,
        runs.c.holder_id == bindparam("holder"),
        runs.c.id.in_(bindparam("run_ids", expanding=True)),
    )
    .values(lease_until_s=bindparam("until"))
)
_LEASED = (
    sa.select(runs.c.id, runs.c.token, runs.c.lease_until_s, holders)
    .join(holders, holders.c.id == runs.c.holder_id)
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
    .order_by(runs.c.id)  # whoever locks several runs does it in this order
)
_TAKE_BACK = (
    runs.update()
    .where(
        runs.c.id == bindparam("run"),
        runs.c.token == bindparam("old_token"),
        runs.c.state == RunState.LEASED,
        runs.c.lease_until_s <= bindparam("seen_until"),
    )
    .values(state=RunState.WAITING, holder_id=None, lease_until_s=None)
)
_LOSE_ATTEMPT = (
    attempts.update()
    .where(
        attempts.c.run_id == bindparam("run"),
        attempts.c.token == bindparam("old_token"),
        attempts.c.state == "running",
    )
    .values(state="lost", failure=bindparam("why"), ended_at=bindparam("at"))
)


def register_holder(connection: Connection, holder: Holder) -> int:
    """The id of a driver's process."""
    values = {
        "host": holder.host,
        "boot_id": holder.boot_id,
        "pid": holder.pid,
        "process_start": holder.process_start,
    }
    same = sa.and_(*(holders.c[name] == value for name, value in values.items()))
    connection.execute(insert_ignoring(connection, holders), {**values, "started_at": now()})
    return int(connection.execute(sa.select(holders.c.id).where(same)).scalar_one())


def register_worker(
    connection: Connection,
    *,
    study_id: int,
    holder_id: int,
    pid: int,
    environment: Mapping[str, str],
    startup_s: float,
) -> int:
    """The id of a worker; its start-up is an attempt without a run."""
    worker_id = add(
        connection,
        workers.insert(),
        {
            "study_id": study_id,
            "holder_id": holder_id,
            "environment_id": _environment(connection, environment),
            "pid": pid,
            "started_at": now(),
        },
    )
    connection.execute(
        _ATTEMPT,
        {
            "study_id": study_id,
            "worker_id": worker_id,
            "kind": "startup",
            "state": "finished",
            "startup_s": startup_s,
            "started_at": now(),
            "ended_at": now(),
        },
    )
    return worker_id


def claim(
    connection: Connection,
    *,
    study_id: int,
    holder_id: int,
    worker_id: int,
    n: int,
    until_s: float,
    barred: Sequence[int],
) -> list[Claim]:
    """Lease up to `n` waiting runs of one pack key, the first in line among them."""
    queue = {"study": study_id, "barred": list(barred)}
    pack_key = connection.scalar(_FIRST, queue)
    if pack_key is None:
        return []
    found = connection.execute(_CANDIDATES, {**queue, "pack": pack_key, "n": n})
    claims = []
    for row in found.all():
        token = row.token + 1
        connection.execute(
            _LEASE,
            {
                "run": row.id,
                "old_token": row.token,
                "new_token": token,
                "holder": holder_id,
                "until": until_s,
            },
        )
        attempt = add(
            connection,
            _ATTEMPT,
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
        saved = connection.execute(_CHECKPOINTS, {"run": row.id}).all() if row.token else []
        claims.append(
            Claim(
                run=row.id,
                token=token,
                attempt=attempt,
                search=row.name,
                role=row.role,
                weighting=row.weighting,
                params=row.params,
                seed=row.seed,
                checkpoints=tuple((path, epoch) for path, epoch in saved),
            )
        )
    return claims


def renew(
    connection: Connection, *, holder_id: int, run_ids: Sequence[int], until_s: float
) -> None:
    """Put off the expiry of a driver's leases, in one statement."""
    connection.execute(_RENEW, {"holder": holder_id, "run_ids": list(run_ids), "until": until_s})


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
        for row in connection.execute(_LEASED, {"study": study_id})
    ]


def take_back(
    connection: Connection, run: int, token: int, why: str, seen_until_s: float = math.inf
) -> bool:
    """Return a leased run to the queue; False if it was moved, or renewed, meanwhile."""
    seen = {"run": run, "old_token": token, "seen_until": seen_until_s}
    moved = connection.execute(_TAKE_BACK, seen)
    if moved.rowcount == 0:
        return False
    connection.execute(_LOSE_ATTEMPT, {"run": run, "old_token": token, "why": why, "at": now()})
    return True


def _environment(connection: Connection, content: Mapping[str, str]) -> int:
    text = json.dumps(dict(content), sort_keys=True)
    digest = sha256(text.encode()).hexdigest()
    connection.execute(
        insert_ignoring(connection, environments),
        {
            "hash": digest,
            "content": text,
            "code_version": content.get("code", "unknown"),
            "device": content.get("device", "unknown"),
            "hardware": content.get("cpu", "unknown"),
        },
    )
    same = sa.select(environments.c.id).where(environments.c.hash == digest)
    return int(connection.execute(same).scalar_one())
