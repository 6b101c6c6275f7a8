"""What failures mean for the rest of a study."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from storage import RunState
from storage.limits import Limit, Limits
from storage.records import Claim, Ending, FailureGroup, Spent
from study.drivers import Loss, WorkerLost
from study.running.pack_sizes import PackSizes
from study.running.worker_pool import WorkerState
from trainers.events import RunEnded
from trainers.failures import REPLAY_DIFFERS

if TYPE_CHECKING:
    from storage import Storage

SAME_FAILURES = 3
FRUITLESS_ATTEMPTS = 5
FIRST_PAUSE_S = 15.0
TIME_LIMIT = "TimeLimit"


class FailurePolicy:
    """Failures of one study, as far as they keep its runs from being handed out.

    Args:
        sizes: Of packs, which become smaller where memory or a worker was lost for them.
        retry: The command that puts its failed runs back.
        say: Told what a user should know at once.
    """

    def __init__(
        self,
        storage: Storage,
        study_id: int,
        search_ids: Mapping[str, int],
        sizes: PackSizes,
        *,
        retry: str,
        say: Callable[[str], None],
    ) -> None:
        self._storage, self._study_id, self._search_ids = storage, study_id, search_ids
        self._sizes, self._retry, self._say = sizes, retry, say
        self._fruitless: dict[int, int] = {}
        self._crowded: dict[int, int] = {}
        self._news = True  # of failed runs: at the start there may be some of an earlier time
        self.stopped: dict[str, str] = {}
        self.look()

    def failed(self) -> None:
        """A run has failed, with its cause."""
        self._news = True

    def look(self) -> None:
        """Find searches of which the same failure has come three times, or whose canary differs.

        Their other runs would fail alike; a search goes on once its failed runs are retried.
        Without a failed run since the last look, and with no search stopped, nothing is asked.
        """
        if not self._news and not self.stopped:
            return
        self._news = False
        self.stopped = {
            group.search: f"{_what_failed(group)}; mend the cause, then: {self._retry}"
            for group in self._storage.failure_groups(self._study_id)
            if group.failure_key
            and (group.runs >= SAME_FAILURES or group.failure == REPLAY_DIFFERS)
        }

    def may_fit_later(self, state: WorkerState, message: RunEnded) -> bool:
        """Whether a run for which memory ran out is tried again: in a smaller pack, or later."""
        if state.rows > 1:
            self._sizes.halve(state, "took too much memory")
            return True
        pause_s = self.crowded(message.run) if message.crowded else None
        if pause_s is None:
            return False
        state.rests_until_s = time.monotonic() + pause_s
        self._say(
            f"Run {message.run} found too little memory: other processes hold some of the GPU's. "
            f"Its worker tries again in {pause_s:g} s."
        )
        return True

    def crowded(self, run: int) -> float | None:
        """Memory ran out for a run beside other processes on its GPU: when it is tried again.

        Returns the pause in s, twice as long each time; None once it has been tried often enough.
        """
        n_before = self._crowded.get(run, 0)
        self._crowded[run] = n_before + 1
        return FIRST_PAUSE_S * 2**n_before if n_before < FRUITLESS_ATTEMPTS - 1 else None

    def limits(self, limits: Limits | None) -> Limits | None:
        """The study's limits, with nothing left for searches that are stopped."""
        if not self.stopped:
            return limits
        nothing = {self._search_ids[search]: Limit(epochs=0) for search in self.stopped}
        limits = limits or Limits()
        return replace(limits, searches={**limits.searches, **nothing})

    def worker_lost(self, state: WorkerState, event: WorkerLost) -> list[int]:
        """Return a lost worker's runs to the queue, or end them; those that have ended.

        A calibration of its is left to its successor.
        """
        self._sizes.lost(state)
        unbooked_s = state.unbooked_s(time.monotonic())
        if event.loss is Loss.MEMORY:
            self._sizes.halve(state, "took too much memory")
        elif event.loss is Loss.WORKER and (state.out_of_time or not state.progressed):
            self._sizes.halve(state, "was lost with its worker")
        return [
            claim.run
            for claim in state.claims.values()
            if self.lost(
                claim,
                state.why_ended + event.reason,
                loss=event.loss,
                progressed=claim.run in state.progressed,
                out_of_time=state.out_of_time,
                alone=state.size == 1,
                unbooked_s=unbooked_s,
            )
        ]

    def lost(
        self,
        claim: Claim,
        reason: str,
        *,
        loss: Loss,
        progressed: bool,
        out_of_time: bool,
        alone: bool,
        unbooked_s: float,
    ) -> bool:
        """Return a lost worker's run to the queue, or end it; True if it has ended.

        A run is tried again as long as its attempts get on; one that ends five workers in a row
        before its next epoch, or outlasts its time limit, has failed. A machine that is taken away
        says nothing of the run.

        Args:
            progressed: Whether this attempt has reported an epoch.
            out_of_time: Whether its worker was ended for the time limit.
            alone: Whether it was the only run of its pack: of several nobody knows which it was.
            unbooked_s: Device-seconds since its last report, which the attempt pays.
        """
        if alone and out_of_time:
            self._fail(claim, TIME_LIMIT, "It outlasted [training] `run_limit_s`.", unbooked_s)
            return True
        counts = alone and loss is not Loss.PREEMPTED
        fruitless = 0 if progressed else self._fruitless.get(claim.run, 0) + counts
        self._fruitless[claim.run] = fruitless
        if fruitless >= FRUITLESS_ATTEMPTS:
            why = f"{fruitless} workers in a row ended while training it. The last: {reason}"
            self._fail(claim, loss, why, unbooked_s)
            return True
        self._storage.take_back_run(claim.run, claim.token, loss, reason, unbooked_s=unbooked_s)
        return False

    def _fail(self, claim: Claim, failure: str, reason: str, unbooked_s: float) -> None:
        ending = Ending(
            run=claim.run,
            token=claim.token,
            state=RunState.FAILED,
            epoch=0,
            spent=Spent(train_s=unbooked_s),
            reason=reason,
            failure=failure,
        )
        self._storage.record([ending])
        self.failed()


def _what_failed(group: FailureGroup) -> str:
    if group.failure == REPLAY_DIFFERS:
        return "a run came out otherwise when it was trained again alone (`weighbridge status`)"
    return f"{group.runs} runs failed with the same {group.failure or 'error'}"
