"""Hands waiting runs to free workers, as far as budgets allow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from storage import RunState
from storage.limits import Limits
from storage.records import Claim, Claimed
from study.planning.budget import said
from study.running.leases import LEASE_S
from study.running.pack_sizes import PackSizes
from study.running.shift import Shift
from study.running.worker_pool import WorkerState

if TYPE_CHECKING:
    from trainers.jobs import Pack


class Dispatch:
    """Claims runs for workers that have nothing to do.

    Args:
        limits: Budgets of the study and its searches.
        searches: Their ids by name.
        sizes: How many runs go into a pack.
        pack_of: Makes the pack of runs that were claimed together.

    Attributes:
        limit: The budget that ends the study, empty while none does.
        stuck: All that is left belongs to searches that are stopped.
    """

    def __init__(
        self,
        shift: Shift,
        limits: Limits | None,
        searches: Mapping[str, int],
        sizes: PackSizes,
        pack_of: Callable[[Sequence[Claim]], Pack],
    ) -> None:
        self._shift, self._limits, self._sizes, self._pack_of = shift, limits, sizes, pack_of
        self._searches = searches
        self._dry = False
        self.limit = ""
        self.stuck = False

    def refresh(self) -> None:
        """Something may have come into the queue: a run has ended, here or elsewhere."""
        self._dry = False

    def hand_out(self) -> None:
        """Give every free worker a pack, as long as there are runs."""
        self._go_on_at_once()
        if self._shift.pool.stopping or self.limit or self._dry:
            return
        for worker, state in self._shift.pool.workers.items():
            resting = state.rests_until_s > time.monotonic()
            looked = self._shift.engine.looked(state.code)
            if state.busy or resting or not looked or self._sizes.waiting(state):
                continue
            if (wanted := self._sizes.to_measure(state)) is not None:
                self._shift.pool.calibrate(worker, wanted)
                continue
            claimed = self._claim(state)
            if not claimed.claims:
                # what waits at a rung is about to free its worker
                self._dry = not any(state.waiting for state in self._shift.pool.workers.values())
                self._nothing_to_claim(claimed)
                return
            self._hand(worker, state, claimed)

    def _go_on_at_once(self) -> None:
        """A call that waits at its rung is given its run again if that goes on, or is ended."""
        over = self._shift.pool.stopping or self.limit
        for worker, state in self._shift.pool.workers.items():
            if not state.waiting or state.leaving:
                continue
            claimed = Claimed() if over else self._claim(state, run=state.waiting)
            if claimed.claims:
                self._hand(worker, state, claimed)
            else:
                self._shift.pool.release(worker)

    def _hand(self, worker: int, state: WorkerState, claimed: Claimed) -> None:
        unsaved = self._shift.engine.unsaved(state.code)
        pack = replace(self._pack_of(claimed.claims), unsaved=unsaved)
        self._shift.pool.train(worker, claimed.claims, pack)

    def _claim(self, state: WorkerState, *, run: int | None = None) -> Claimed:
        return self._shift.storage.claim(
            self._shift.study_id,
            holder_id=self._shift.holder_id,
            worker_id=state.worker_id,
            n={id_: self._sizes.of(state, name) for name, id_ in self._searches.items()},
            shares=self._shift.pool.driver.size,
            in_training=self._shift.pool.runs_left,
            lease_s=LEASE_S,
            limits=self._shift.failures.limits(self._limits),
            code=state.code or None,
            run=run,
        )

    def _nothing_to_claim(self, claimed: Claimed) -> None:
        """With nobody at work, what limits refuse now will be refused for good: the study ends."""
        if self._shift.pool.busy or self._shift.states().get(RunState.LEASED, 0):
            return
        if claimed.exhausted:
            self.limit = said(self._shift.plan.spec.budget, claimed.exhausted)
        elif claimed.barred and not self._shift.failures.stopped:
            self.limit = "the budget of its searches"
        else:
            self.stuck = bool(claimed.barred)
