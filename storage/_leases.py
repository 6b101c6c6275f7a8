"""Leases on runs: claimed, renewed, taken over from the dead; every move is compare-and-swap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._budgets import Room, Settled
from storage._hot import Hot
from storage._studies import now
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

_QUEUE = (runs.c.queue_rank, runs.c.trial_number, runs.c.seed, runs.c.id)


def _first(*where: Any) -> Hot:
    """The first run in line; one that somebody else claims just now is not."""
    return Hot(
        sa.select(runs.c.search_id, runs.c.pack_key, *_QUEUE)
        .where(*where, runs.c.state == RunState.WAITING, runs.c.planned)
        .order_by(*_QUEUE)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _candidates(*where: Any) -> Hot:
    """The first runs in line of one pack key."""
    return Hot(
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
            *where,
            runs.c.state == RunState.WAITING,
            runs.c.planned,
            runs.c.pack_key == bindparam("pack"),
        )
        .order_by(*_QUEUE)
        .limit(bindparam("n"))
        .with_for_update(skip_locked=True, of=runs)
    )


_OF_STUDY = runs.c.study_id == bindparam("study")
_OF_SEARCH = runs.c.search_id == bindparam("search")
_FIRST, _CANDIDATES = _first(_OF_STUDY), _candidates(_OF_STUDY)
# while searches are passed over, each of the others is asked for its own first
_OTHERS = Hot(
    sa.select(searches.c.id).where(
        searches.c.study_id == bindparam("study"),
        searches.c.id.not_in(bindparam("barred", expanding=True)),
    )
)
_FIRST_OF_SEARCH, _CANDIDATES_OF_SEARCH = _first(_OF_SEARCH), _candidates(_OF_SEARCH)
# how many runs wait, counted up to what can be asked for
_WAITING = Hot(
    sa.select(sa.func.count()).select_from(
        sa.select(runs.c.id)
        .where(_OF_STUDY, runs.c.state == RunState.WAITING, runs.c.planned)
        .limit(bindparam("most"))
        .subquery()
    )
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
    .values(
        state="lost",
        failure=bindparam("why"),
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
) -> Claimed:
    """Lease waiting runs of one pack key, the first in line among them."""
    room = None if limits is None else Room.of(connection, study_id, limits, settled)
    found, exhausted, barred = _allowed(connection, study_id, size, room)
    claims = [_lease(connection, one, study_id, holder_id, worker_id, until_s) for one in found]
    return Claimed(claims=claims, exhausted=exhausted, barred=barred)


@dataclass(frozen=True, slots=True)
class Size:
    """How many runs to claim: at most `most`, and of all there is to do one share of so many.

    Attributes:
        in_training: Runs that the other workers have still to do, parts of runs included.
    """

    most: int
    shares: int = 1
    in_training: float = 0.0

    def of(self, connection: Connection, study_id: int) -> int:
        """The number for now."""
        if self.shares == 1 or self.most == 1:
            return self.most
        here = {"study": study_id, "most": self.most * self.shares}
        (row,) = _WAITING.rows(connection, here)
        n_waiting: int = row[0]
        return min(self.most, math.ceil((n_waiting + self.in_training) / self.shares))


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
    connection: Connection, study_id: int, size: Size, room: Room | None
) -> tuple[list[_Candidate], str, dict[int, str]]:
    """The next pack as far as limits allow it; searches at their limit are passed over."""
    barred: dict[int, str] = {}
    while True:
        found = _next_pack(connection, study_id, size, list(barred))
        if room is None:
            return found, "", barred
        known = len(barred)
        fitting, exhausted = _fitting(found, room, barred)
        if fitting or exhausted or len(barred) == known:
            return fitting, exhausted, barred


def _next_pack(
    connection: Connection, study_id: int, size: Size, barred: Sequence[int]
) -> list[_Candidate]:
    first, statement, scope = _first_in_line(connection, study_id, barred)
    if first is None:
        return []
    n = max(1, size.of(connection, study_id))
    found = statement.rows(connection, {**scope, "pack": first.pack_key, "n": n})
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


def _first_in_line(
    connection: Connection, study_id: int, barred: Sequence[int]
) -> tuple[Any, Hot, dict[str, int]]:
    """The first run, and the statement with its values that finds the others of its pack.

    No run of a barred search is walked past, however many wait: each other search is asked.
    """
    if not barred:
        here = {"study": study_id}
        return next(iter(_FIRST.rows(connection, here)), None), _CANDIDATES, here
    others = _OTHERS.rows(connection, {"study": study_id, "barred": list(barred)})
    firsts = [
        row for search in others for row in _FIRST_OF_SEARCH.rows(connection, {"search": search.id})
    ]
    first = min(
        firsts,
        key=lambda row: (row.queue_rank, row.trial_number, row.seed, row.id),
        default=None,
    )
    return first, _CANDIDATES_OF_SEARCH, {"search": first.search_id if first else 0}


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
    connection: Connection,
    run: int,
    token: int,
    why: str,
    *,
    seen_until_s: float = math.inf,
    unbooked_s: float = 0.0,
) -> bool:
    """Return a leased run to the queue; False if it was moved, or renewed, meanwhile.

    Args:
        unbooked_s: Device-seconds since the last report of the attempt, which is paid for.
    """
    seen = {"run": run, "old_token": token, "seen_until": seen_until_s}
    if _TAKE_BACK.run(connection, seen) == 0:
        return False
    lost = {"run": run, "old_token": token, "why": why, "at": now(), "unbooked": unbooked_s}
    _LOSE_ATTEMPT.run(connection, lost)
    return True
