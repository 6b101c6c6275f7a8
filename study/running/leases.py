"""A driver's own leases, and those that others have left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from storage.records import Claimed, Holder
from storage.states import Liveness
from study.drivers.holder import liveness, this_process
from study.running.worker_pool import WorkerPool, WorkerState

if TYPE_CHECKING:
    from storage import Storage
    from storage.limits import Limits

LEASE_S = 60.0
_RENEW_S = 15.0
_STALE_BEAT_S = 30.0
_SILENT_S = 2 * _RENEW_S
_UNANSWERED = "the database did not answer the claim"


class LeaseKeeper:
    """Takes leases for workers, keeps those of packs whose worker beats, and returns all others."""

    def __init__(
        self, storage: Storage, study_id: int, *, holder_id: int, pool: WorkerPool
    ) -> None:
        self._storage, self._study_id = storage, study_id
        self._holder_id, self._pool = holder_id, pool
        self._renewed_s = time.monotonic()
        self._me = this_process()
        self._told: set[tuple[Holder, bool]] = set()

    def claim(
        self,
        state: WorkerState,
        n: Callable[[int, str], int],
        *,
        limits: Limits | None,
        run: int | None = None,
    ) -> Claimed:
        """Lease the next runs in line for a worker, one share of them at most; or one run.

        Args:
            n: Most runs, by the search and the point of the first one.
            limits: What all runs of the study must stay within.
            run: This one and no other.
        """
        return self._storage.claim(
            self._study_id,
            holder_id=self._holder_id,
            worker_id=state.worker_id,
            n=n,
            shares=self._pool.driver.size,
            in_training=self._pool.runs_left,
            lease_s=LEASE_S,
            limits=limits,
            code=state.code or None,
            run=run,
        )

    def anybody(self) -> bool:
        """Whether any driver has a run of the study."""
        return bool(self._storage.leases(self._study_id))

    def renew(self) -> None:
        """Put off the expiry of what beating workers train, every 15 seconds."""
        now_s = time.monotonic()
        if now_s - self._renewed_s < _RENEW_S:
            return
        self._renewed_s = now_s
        fresh = self._pool.beating(_STALE_BEAT_S)
        if fresh:
            self._storage.renew(self._holder_id, fresh, lease_s=LEASE_S)

    def take_over(self) -> None:
        """Return what dead drivers have left."""
        self._storage.take_back(self._study_id, liveness=liveness)

    def waits(self) -> list[str]:
        """For whom this driver waits while its own workers have nothing to do; each told once.

        A driver that was suspended keeps its leases for as long as its process is there.
        """
        if self._pool.busy:
            return []
        found: dict[Holder, list[float]] = {}
        for holder, left_s in self._storage.leases(self._study_id):
            if holder != self._me:
                found.setdefault(holder, []).append(left_s)
        news = []
        for holder, lefts_s in found.items():
            silent = min(lefts_s) < LEASE_S - _SILENT_S
            if (holder, silent) not in self._told:
                self._told.add((holder, silent))
                news.append(_wait(holder, len(lefts_s), silent=silent))
        return news

    def give_back_unknown(self) -> None:
        """Return leases that we have and do not know of: the answer to a claim was lost."""
        known = {claim.run for claim in self._pool.claims}
        for run, token in self._storage.leased_by(self._study_id, self._holder_id):
            if run not in known:
                self._storage.take_back_run(run, token, "ClaimUnanswered", _UNANSWERED)

    def give_back(self, failure: str, text: str, *, ended_s: float) -> None:
        """Return what is still leased: workers were ended before they could release it.

        Args:
            failure: Why, as a class; `text` says more.
            ended_s: When that was, on the monotonic clock.
        """
        for state in self._pool.workers.values():
            unbooked_s = state.unbooked_s(ended_s)
            for claim in state.claims.values():
                self._storage.take_back_run(
                    claim.run, claim.token, failure, text, unbooked_s=unbooked_s
                )


def _wait(holder: Holder, n_runs: int, *, silent: bool) -> str:
    """For whom a driver waits, and what a user can do about it."""
    runs = "a run" if n_runs == 1 else f"{n_runs} runs"
    whom = f"Waiting for {runs} that process {holder.pid} on {holder.host} has."
    if not silent:
        return f"{whom} What it leaves is taken over."
    if liveness(holder) is Liveness.ALIVE:
        return (
            f"{whom} It has been silent for over {_SILENT_S:.0f} s, and may be suspended: "
            f"`kill -CONT {holder.pid}` lets it go on, `kill -KILL {holder.pid}` ends it, and its "
            "runs are taken over."
        )
    return (
        f"{whom} It has been silent for over {_SILENT_S:.0f} s; its runs are taken over "
        f"{LEASE_S:.0f} s after it was last heard of."
    )
