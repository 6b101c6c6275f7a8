"""Leases on runs: claimed, renewed, taken over from the dead; every move is compare-and-swap."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.leasing.budgets import Room, Settled
from storage.leasing.queue import Candidate, Size, next_pack, the_run
from storage.limits import Amount, Limits
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import lock_runs, next_change, now
from storage.records import Claim, Claimed, Holder, ParentNetworks
from storage.schema.dialects import now_s
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import (
    attempts,
    epochs,
    holders,
    runs,
)
from storage.states import Liveness, RunState

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
        change=bindparam("number"),
    )
)
_ATTEMPT = PreparedStatement(attempts.insert().returning(attempts.c.id))
# A training function or trainer resumes by itself, and may go on behind what was written of it
# before it died.
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
    .values(state=RunState.WAITING, holder_id=None, lease_until_s=None, change=bindparam("number"))
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
        change=bindparam("number"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A leased run whose worker or driver is gone.

    Attributes:
        failure: Why it is lost, as a class; `text` says more.
        seen_until_s: Its expiry as it was seen; one that was renewed since is not lost.
        unbooked_s: Device-seconds since the last report of the attempt, which is paid for.
    """

    run: int
    token: int
    failure: str
    text: str
    seen_until_s: float = math.inf
    unbooked_s: float = 0.0


_DEAD = ("DriverLost", "its driver's process has ended")
_EXPIRED = ("LeaseExpired", "its driver has not renewed its lease in time")


class Leases(OpenedDatabase):
    """The part of `storage.Storage` that says who trains what."""

    _clock: Callable[[], float] | None = None
    _settled: defaultdict[int, Settled]

    @retried
    def claim(
        self,
        study_id: int,
        *,
        holder_id: int,
        worker_id: int,
        n: int | Callable[[int, str], int],
        lease_s: float,
        shares: int = 1,
        in_training: float = 0.0,
        limits: Limits | None = None,
        code: str | None = None,
        run: int | None = None,
    ) -> Claimed:
        """Lease up to `n` waiting runs of one pack key, first in line first.

        Args:
            n: Where it differs, by the search and the point, as JSON, of the run that is first in
                line.
            shares: Workers that share the work: a claim takes no more than one share of it.
            in_training: Runs that other workers have still to do, parts of runs included.
            limits: What all attempts, and what leased runs may still take, must stay within.
            code: Fingerprint of the user's own code, as the worker has loaded it.
            run: This one and no other, wherever in line it is.
        """
        with self._database.write() as connection:
            room = None
            if limits is not None:
                room = Room.of(connection, study_id, limits, self._settled[study_id])
            if run is None:
                size = Size(n, shares, in_training)
                found, exhausted, barred = next_pack(connection, study_id, size, room)
            else:
                found, exhausted, barred = the_run(connection, study_id, run, room)
            if not found:
                return Claimed(claims=[], exhausted=exhausted, barred=barred)
            attempt = {
                "change": next_change(connection, study_id),
                "study_id": study_id,
                "worker_id": worker_id,
                "kind": "run",
                "state": "running",
                "started_at": now(),
                "code_fingerprint": code,
            }
            until_s = self._now_s(connection) + lease_s
            claims = [_lease(connection, one, attempt, holder_id, until_s) for one in found]
            return Claimed(claims=claims, exhausted=exhausted, barred=barred)

    @retried
    def used(self, study_id: int) -> dict[int | None, Amount]:
        """What all attempts of each search have taken so far; None: what belongs to no search."""
        with self._database.read() as connection:
            used = self._settled[study_id].used(connection, study_id)
        return {search: of_search.amount for search, of_search in used.items()}

    @retried
    def renew(self, holder_id: int, run_ids: Sequence[int], *, lease_s: float) -> None:
        """Put off the expiry of a driver's leases."""
        with self._database.write() as connection:
            until_s = self._now_s(connection) + lease_s
            held = {"holder": holder_id, "run_ids": list(run_ids)}
            _RENEW.run(connection, {**held, "until": until_s})

    @retried
    def take_back(self, study_id: int, *, liveness: Callable[[Holder], Liveness]) -> int:
        """Return leases whose holder is dead, or that expired, to the queue.

        The lease of a holder that is known to be alive stays, whatever the clock says.
        """
        with self._database.read() as connection:
            leases = leased(connection, study_id)
            time_s = self._now_s(connection)
        lost = []
        for run, token, until_s, holder in leases:
            found = liveness(holder)
            if found is Liveness.DEAD or (found is Liveness.UNKNOWN and until_s < time_s):
                failure, text = _DEAD if found is Liveness.DEAD else _EXPIRED
                lost.append(
                    Lost(run=run, token=token, failure=failure, text=text, seen_until_s=until_s)
                )
        if not lost:
            return 0
        with self._database.write() as connection:
            return take_back(connection, lost)

    @retried
    def leases(self, study_id: int) -> list[tuple[Holder, float]]:
        """The holder of each lease of a study, and seconds until it expires; below 0 it has."""
        with self._database.read() as connection:
            time_s = self._now_s(connection)
            found = leased(connection, study_id)
            return [(holder, until_s - time_s) for _, _, until_s, holder in found]

    @retried
    def leased_by(self, study_id: int, holder_id: int) -> list[tuple[int, int]]:
        """(run, token) of each lease of a driver, also of those that it does not know of."""
        with self._database.read() as connection:
            found = connection.execute(_LEASED_BY, {"study": study_id, "holder": holder_id})
            return [(row.id, row.token) for row in found]

    @retried
    def take_back_run(
        self, run: int, token: int, failure: str, text: str, *, unbooked_s: float = 0.0
    ) -> bool:
        """Return one leased run to the queue, its worker is gone.

        Args:
            failure: Why, as a class such as ``WorkerLost``; `text` says more.
            unbooked_s: Device-seconds since its last report, which the attempt pays.
        """
        lost = Lost(run=run, token=token, failure=failure, text=text, unbooked_s=unbooked_s)
        with self._database.write() as connection:
            return take_back(connection, [lost]) == 1

    def _now_s(self, connection: Connection) -> float:
        return now_s(connection) if self._clock is None else self._clock()


def _lease(
    connection: Connection,
    one: Candidate,
    attempt: Mapping[str, object],
    holder_id: int,
    until_s: float,
) -> Claim:
    row, token, parents = one.row, one.row.token + 1, ParentNetworks.of_text(one.row.initial)
    _LEASE.run(
        connection,
        {
            "run": row.id,
            "old_token": row.token,
            "new_token": token,
            "holder": holder_id,
            "until": until_s,
            "start": one.start,
            "number": attempt["change"],
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
        initial=None if parents is None else parents.of(row.seed),
        pack_key=row.pack_key,
        recorded=_recorded(connection, row.id) if row.token and not one.checkpoints else 0,
        parent=one.parent,
    )


def _recorded(connection: Connection, run: int) -> int:
    (row,) = _RECORDED.rows(connection, {"run": run})
    return row.last or 0


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


def take_back(connection: Connection, lost: Sequence[Lost]) -> int:
    """Return leased runs to the queue; how many: others were moved, or renewed, meanwhile."""
    in_order = sorted(lost, key=lambda one: one.run)
    study_id = lock_runs(connection, [one.run for one in in_order])
    if study_id is None:
        return 0
    change = next_change(connection, study_id)
    return sum(_take_back(connection, one, change) for one in in_order)


def _take_back(connection: Connection, lost: Lost, change: int) -> bool:
    here = {"run": lost.run, "old_token": lost.token, "number": change}
    if _TAKE_BACK.run(connection, {**here, "seen_until": lost.seen_until_s}) == 0:
        return False
    why = {"class": lost.failure, "text": lost.text, "at": now(), "unbooked": lost.unbooked_s}
    _LOSE_ATTEMPT.run(connection, {**here, **why})
    return True
