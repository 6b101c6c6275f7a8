"""Hands waiting runs to free workers, as far as budgets allow."""

from __future__ import annotations

import time

from storage.limits import Limits
from storage.records import Claimed
from study.planning.budget import said
from study.running.engine_state import EngineState
from study.running.epoch_timings import EpochTimings
from study.running.failure_policy import FailurePolicy
from study.running.leases import LeaseKeeper
from study.running.pack_sizes import PackSizes
from study.running.packing import Packer
from study.running.worker_pool import WorkerPool, WorkerState
from study.spec.budget import BudgetSpec


class Dispatch:
    """Claims runs for workers that have nothing to do.

    Args:
        budget: Of the study, for the words in which it ends.
        limits: Budgets of the study and its searches; None without any.

    Attributes:
        limit: The budget that ends the study, empty while none does.
        stuck: All that is left belongs to searches that are stopped.
        paused: Nothing is handed out.
    """

    def __init__(
        self,
        leases: LeaseKeeper,
        pool: WorkerPool,
        engine: EngineState,
        sizes: PackSizes,
        timings: EpochTimings,
        failures: FailurePolicy,
        packer: Packer,
        *,
        budget: BudgetSpec,
        limits: Limits | None,
    ) -> None:
        self._leases, self._pool = leases, pool
        self._engine, self._sizes, self._timings = engine, sizes, timings
        self._packer = packer
        self._failures, self._budget, self._limits = failures, budget, limits
        self._dry = False
        self.limit = ""
        self.stuck = self.paused = False

    def follow(self, budget: BudgetSpec, limits: Limits | None) -> None:
        """Go by other limits from now on."""
        self._budget, self._limits = budget, limits
        self.refresh()

    def refresh(self) -> None:
        """Something may have come into the queue: a run has ended, here or elsewhere."""
        self._dry = False

    def hand_out(self) -> None:
        """Give every free worker a pack, as long as there are runs."""
        self._go_on_at_once()
        if self._pool.stopping or self.limit or self._dry or self.paused:
            return
        for worker, state in self._pool.workers.items():
            resting = state.rests_until_s > time.monotonic()
            looked = self._engine.looked(state.code)
            if state.busy or resting or not looked or self._sizes.waiting(state):
                continue
            wanted = self._sizes.to_measure(state) or self._timings.to_time(state)
            if wanted is not None:
                self._pool.calibrate(worker, wanted)
                continue
            claimed = self._claim(state)
            if not claimed.claims:
                # what waits at a rung is about to free its worker
                self._dry = not any(state.waiting for state in self._pool.workers.values())
                self._nothing_to_claim(claimed)
                return
            self._hand(worker, state, claimed)

    def _go_on_at_once(self) -> None:
        """A call that waits at its rung is given its run again if that goes on, or is ended."""
        over = self._pool.stopping or self.limit
        for worker, state in self._pool.workers.items():
            if not state.waiting or state.leaving:
                continue
            claimed = Claimed() if over else self._claim(state, run=state.waiting)
            if claimed.claims:
                self._hand(worker, state, claimed)
            else:
                self._pool.release(worker)

    def _hand(self, worker: int, state: WorkerState, claimed: Claimed) -> None:
        pack = self._packer.pack(claimed.claims, state.code)
        self._pool.train(worker, claimed.claims, pack)

    def _claim(self, state: WorkerState, *, run: int | None = None) -> Claimed:
        limits = self._failures.limits(self._limits)
        return self._leases.claim(state, self._sizes.most(state), limits=limits, run=run)

    def _nothing_to_claim(self, claimed: Claimed) -> None:
        """With nobody at work, what limits refuse now will be refused for good: the study ends."""
        if self._pool.busy or self._leases.anybody():
            return
        if claimed.exhausted:
            self.limit = said(self._budget, claimed.exhausted)
        elif claimed.barred and not self._failures.stopped:
            self.limit = "the budget of its searches"
        else:
            self.stuck = bool(claimed.barred)
