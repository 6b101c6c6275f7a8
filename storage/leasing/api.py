"""Leasing: drivers and workers make themselves known, and hold runs for a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from storage.database.retry import retried
from storage.leasing import leases as _leases
from storage.leasing import removals as _removals
from storage.leasing import workers as _workers
from storage.leasing.budgets import Settled
from storage.leasing.queue import Size
from storage.limits import Amount, Limits
from storage.planning.opened import OpenedDatabase
from storage.records import Claimed, Holder
from storage.schema.dialects import now_s
from storage.states import Liveness

if TYPE_CHECKING:
    from sqlalchemy import Connection

_DEAD = ("DriverLost", "its driver's process has ended")
_EXPIRED = ("LeaseExpired", "its driver has not renewed its lease in time")


class Leasing(OpenedDatabase):
    """The part of `storage.Storage` that says who does what."""

    _clock: Callable[[], float] | None = None
    _settled: defaultdict[int, Settled]

    @retried
    def register_holder(self, holder: Holder) -> int:
        """Make a driver known; returns its id."""
        with self._database.write() as connection:
            return _workers.register_holder(connection, holder)

    @retried
    def register_worker(
        self,
        *,
        study_id: int,
        holder_id: int,
        pid: int,
        environment: Mapping[str, str],
        startup_s: float,
        price_per_h: float | None = None,
        files: str = "",
    ) -> int:
        """Make a worker known and book its start-up; returns its id.

        Args:
            files: Folder or URL where it keeps the study's files.
        """
        with self._database.write() as connection:
            return _workers.register_worker(
                connection,
                study_id=study_id,
                holder_id=holder_id,
                pid=pid,
                environment=environment,
                startup_s=startup_s,
                price_per_h=price_per_h,
                files=files,
            )

    @retried
    def claim(
        self,
        study_id: int,
        *,
        holder_id: int,
        worker_id: int,
        n: int | Mapping[int, int],
        lease_s: float,
        shares: int = 1,
        in_training: float = 0.0,
        limits: Limits | None = None,
        code: str | None = None,
        run: int | None = None,
    ) -> Claimed:
        """Lease up to `n` waiting runs of one pack key, first in line first.

        Args:
            n: Where searches differ, by the search of the run that is first in line.
            shares: Workers that share the work: a claim takes no more than one share of it.
            in_training: Runs that other workers have still to do, parts of runs included.
            limits: What all attempts, and what leased runs may still take, must stay within.
            code: Fingerprint of the user's own code, as the worker has loaded it.
            run: This one and no other, wherever in line it is.
        """
        with self._database.write() as connection:
            return _leases.claim(
                connection,
                study_id=study_id,
                holder_id=holder_id,
                worker_id=worker_id,
                size=Size(n, shares, in_training),
                until_s=self._now_s(connection) + lease_s,
                limits=limits,
                settled=self._settled[study_id],
                code=code,
                run=run,
            )

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
            _leases.renew(connection, holder_id=holder_id, run_ids=run_ids, until_s=until_s)

    @retried
    def take_back(self, study_id: int, *, liveness: Callable[[Holder], Liveness]) -> int:
        """Return leases whose holder is dead, or that expired, to the queue.

        The lease of a holder that is known to be alive stays, whatever the clock says.
        """
        with self._database.read() as connection:
            leases = _leases.leased(connection, study_id)
            time_s = self._now_s(connection)
        lost = [
            (run, token, _DEAD if found is Liveness.DEAD else _EXPIRED, until_s)
            for run, token, until_s, holder in leases
            if (found := liveness(holder)) is Liveness.DEAD
            or (found is Liveness.UNKNOWN and until_s < time_s)
        ]
        if not lost:
            return 0
        with self._database.write() as connection:
            return sum(
                _leases.take_back(connection, run, token, *why, seen_until_s=until_s)
                for run, token, why, until_s in lost
            )

    @retried
    def leases(self, study_id: int) -> list[tuple[Holder, float]]:
        """The holder of each lease of a study, and seconds until it expires; below 0 it has."""
        with self._database.read() as connection:
            time_s = self._now_s(connection)
            found = _leases.leased(connection, study_id)
            return [(holder, until_s - time_s) for _, _, until_s, holder in found]

    @retried
    def leased_by(self, study_id: int, holder_id: int) -> list[tuple[int, int]]:
        """(run, token) of each lease of a driver, also of those that it does not know of."""
        with self._database.read() as connection:
            return _leases.leased_by(connection, study_id, holder_id)

    @retried
    def take_back_run(
        self, run: int, token: int, failure: str, text: str, *, unbooked_s: float = 0.0
    ) -> bool:
        """Return one leased run to the queue, its worker is gone.

        Args:
            failure: Why, as a class such as ``WorkerLost``; `text` says more.
            unbooked_s: Device-seconds since its last report, which the attempt pays.
        """
        with self._database.write() as connection:
            return _leases.take_back(connection, run, token, failure, text, unbooked_s=unbooked_s)

    @retried
    def delete_study(self, study_id: int, *, liveness: Callable[[Holder], Liveness]) -> None:
        """Delete all rows of a study.

        Raises:
            StudyInUse: A driver that may be alive trains it.
            StudyChanged: It is gone already.
        """
        with self._database.write() as connection:
            time_s = self._now_s(connection)
            _removals.delete(connection, study_id, time_s=time_s, liveness=liveness)

    @retried
    def rename_study(
        self, study_id: int, name: str, *, liveness: Callable[[Holder], Liveness]
    ) -> None:
        """Give a study another name; its runs, random draws and files stay what they are.

        Raises:
            StudyInUse: A driver that may be alive trains it.
            NameTaken: Another study has that name.
            StudyChanged: It is gone.
        """
        with self._database.write() as connection:
            time_s = self._now_s(connection)
            _removals.rename(connection, study_id, name, time_s=time_s, liveness=liveness)

    def _now_s(self, connection: Connection) -> float:
        return now_s(connection) if self._clock is None else self._clock()
