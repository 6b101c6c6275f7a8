"""Ends what runs as soon as a limit is reached: workers save and release it at an epoch's end."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from storage.limits import Amount, Limits
from storage.wording import limit_said
from study.planning.budget import said, used_up
from study.running.worker_pool import WorkerPool
from study.spec.budget import BudgetSpec

if TYPE_CHECKING:
    from storage import Storage

_LOOK_S = 1.0


class Limiter:
    """Compares what has been used with the limits, what nobody has reported yet included.

    Trials and epochs cannot be exceeded by what runs: they are set aside before.

    Args:
        limits: Budgets of the study and its searches; None without any.
        searches: Their ids by name.
    """

    def __init__(
        self,
        storage: Storage,
        study_id: int,
        pool: WorkerPool,
        budget: BudgetSpec,
        *,
        limits: Limits | None,
        searches: Mapping[str, int],
    ) -> None:
        self._storage, self._study_id, self._pool = storage, study_id, pool
        self._budget, self._limits, self._searches = budget, limits, searches
        self._started_s = self._looked_s = time.monotonic()

    def follow(self, budget: BudgetSpec, limits: Limits | None) -> None:
        """Go by other limits from now on."""
        self._budget, self._limits = budget, limits

    def look(self) -> str:
        """The limit that the study has reached, in words; empty while there is none.

        Workers with runs of a search that has reached its own limit are asked to release them.
        """
        now_s = time.monotonic()
        budget = self._budget
        if budget.wall_s is not None and now_s - self._started_s >= budget.wall_s:
            return f"the limit of {limit_said(budget.wall_s)} s for one run of the command"
        if self._limits is None or now_s - self._looked_s < _LOOK_S:
            return ""
        self._looked_s = now_s
        reached, searches = used_up(self._limits, self._used(now_s))
        if reached:
            return said(budget, reached)
        self._release(searches)
        return ""

    def _used(self, now_s: float) -> dict[int | None, Amount]:
        """By search, with the time since the workers' last reports."""
        used = defaultdict(Amount, self._storage.used(self._study_id))
        for state in self._pool.workers.values():
            each_s = state.unbooked_s(now_s) if state.busy else 0.0
            unbooked = Amount(device_s=each_s, money=each_s / 3600 * (state.price_per_h or 0.0))
            if not state.claims:  # it times steps, for all searches
                used[None] += unbooked
            for claim in state.claims.values():
                used[self._searches[claim.search]] += unbooked
        return used

    def _release(self, searches: frozenset[int]) -> None:
        """Other runs of such packs wait, too, and go on from the same checkpoint."""
        for worker, state in self._pool.workers.items():
            held = {self._searches[claim.search] for claim in state.claims.values()}
            if held & searches and not state.leaving:
                self._pool.release(worker)
