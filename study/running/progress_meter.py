"""Reads where a running study stands: its rows, its workers, and the clock."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from storage.states import FINAL
from study.deciding.progress import (
    Progress,
    Rate,
    SearchProgress,
    WorkerCounts,
    epoch_seconds,
    least,
    search_progress,
)
from study.running.conductor import Conductor
from study.running.pack_sizes import PackSizes
from study.running.worker_pool import WorkerPool

if TYPE_CHECKING:
    from storage import Storage
    from storage.records import BestTrial, SearchStatus, Totals


class ProgressMeter:
    """Where the study of one driver stands, whenever it is asked."""

    def __init__(
        self,
        storage: Storage,
        study_id: int,
        pool: WorkerPool,
        conductor: Conductor,
        sizes: PackSizes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage, self._study_id = storage, study_id
        self._pool, self._conductor, self._sizes, self._clock = pool, conductor, sizes, clock
        self._began_s = clock()
        self._rate = Rate()
        self._ended = -1
        self._best: dict[str, BestTrial] = {}

    def read(self) -> Progress:
        """Look at the database and the workers."""
        storage, study_id = self._storage, self._study_id
        totals, statuses = storage.totals(study_id), storage.search_status(study_id)
        self._look_for_best(totals)
        searches = self._searches(statuses)
        workers = self._workers()
        now_s = self._clock()
        if self._rate.since_s is None and workers.training:
            self._rate = Rate(since_s=now_s, paid_s=totals.device_s)
        return Progress(
            states=totals.states,
            searches=searches,
            workers=workers,
            paid_s=totals.device_s,
            left_s=self._left_s(searches, totals, now_s),
        )

    def _look_for_best(self, totals: Totals) -> None:
        """Trials are compared again when another run has ended."""
        ended = sum(n for state, n in totals.states.items() if state in FINAL)
        if ended == self._ended:
            return
        self._ended = ended
        plan = self._conductor.plan
        found = self._storage.best_trials(
            self._study_id,
            {search.name: search.objective for search in plan.searches},
            n_seeds=len(plan.spec.seeds),
        )
        self._best = {best.search: best for best in found}

    def _searches(self, statuses: list[SearchStatus]) -> list[SearchProgress]:
        plan = self._conductor.plan
        planned = {search.name: search for search in plan.searches}
        here = [status for status in statuses if status.search in self._conductor.outlooks]
        epoch_s = epoch_seconds(here, {name: of.tasks for name, of in planned.items()})
        waiting: Counter[Sequence[str]] = Counter()  # by what their networks learn
        for status in here:
            n_runs = sum(of.runs for of in status.unfinished)
            waiting[planned[status.search].tasks] += n_runs
        return [
            search_progress(
                status,
                self._conductor.outlooks[status.search],
                n_stages=len(planned[status.search].stages),
                objective=planned[status.search].objective,
                epochs=planned[status.search].epochs_of(plan.training),
                budget=planned[status.search].budget,
                best=self._best.get(status.search),
                epoch_s=epoch_s[status.search],
                together=waiting[planned[status.search].tasks] / len(plan.spec.seeds),
                dearer=self._dearer,
            )
            for status in here
        ]

    def _dearer(self, together: float) -> float:
        return self._sizes.relative_cost(together, than=self._pool.mean_pack_size)

    def _workers(self) -> WorkerCounts:
        workers = self._pool.workers.values()
        calibrating = sum(state.only_times for state in workers)
        busy = sum(state.busy for state in workers)
        runs: dict[str, int] = {}
        for claim in self._pool.claims:
            runs[claim.search] = runs.get(claim.search, 0) + 1
        return WorkerCounts(
            starting=max(0, self._pool.driver.size - len(workers)),
            calibrating=calibrating,
            training=busy - calibrating,
            idle=len(workers) - busy,
            runs=runs,
        )

    def _left_s(self, searches: list[SearchProgress], totals: Totals, now_s: float) -> float | None:
        """Seconds until all is done, or a budget of the study ends it."""
        left = [search.left_device_s for search in searches]
        if not left or any(of is None for of in left):
            return None
        device_s = sum(of for of in left if of is not None)
        epochs = sum(search.epochs_expected - search.epochs_done for search in searches)
        budget = self._conductor.plan.spec.budget
        device_s = least(device_s, epochs, budget, paid_s=totals.device_s, paid=totals.epochs)
        rate = self._rate.at(now_s, totals.device_s, workers=self._pool.driver.size)
        wall_s = float("inf") if budget.wall_s is None else budget.wall_s - (now_s - self._began_s)
        return max(0.0, min(device_s / rate, wall_s))
