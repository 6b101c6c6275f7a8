"""What happens on each event of a driver: a worker is ready, reports, ends or is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from study.drivers import DriverEvent, FromWorker, WorkerLost
from study.errors import WorkersUnusable
from study.running.epoch_timings import EpochTimings
from study.running.failure_policy import FailurePolicy
from study.running.pack_sizes import PackSizes
from study.running.recorder import RecordBuffer, RunEvent
from study.running.registration import Registration
from study.running.retention import Retention
from study.running.worker_pool import WorkerPool, WorkerState
from trainers.events import (
    Calibrated,
    CheckpointSkipped,
    CheckpointWritten,
    EpochDone,
    Message,
    NetworksKept,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
    StepsTimed,
)
from trainers.failures import OUT_OF_MEMORY, REPLAY_DIFFERS

if TYPE_CHECKING:
    from storage import Storage


class EventHandler:
    """Takes a driver's events in, and has what workers report written down.

    Args:
        say: Called with what a user should know at once.

    Attributes:
        n_mismatches: Epochs that were trained again and came out otherwise.
    """

    def __init__(
        self,
        storage: Storage,
        pool: WorkerPool,
        registration: Registration,
        failures: FailurePolicy,
        sizes: PackSizes,
        timings: EpochTimings,
        retention: Retention,
        *,
        say: Callable[[str], None],
    ) -> None:
        self._pool, self._registration, self._failures = pool, registration, failures
        self._sizes, self._timings = sizes, timings
        self._retention, self._say = retention, say
        self._buffer = RecordBuffer(storage)
        self._ended: list[int] = []
        self._told: set[str] = set()
        self.n_mismatches = 0

    def listen(self, within_s: float) -> None:
        """Take in what workers say; silence counts only while the driver listens to them.

        A driver that waits for its database, or that was suspended, hears nobody.

        Raises:
            WorkersUnusable: As `take`.
        """
        began_s = time.monotonic()
        events = self._pool.driver.poll(within_s)
        self._pool.listened(min(time.monotonic() - began_s, within_s))
        for event in events:
            self.take(event)
        if self._buffer.due():
            self.write()

    def take(self, event: DriverEvent) -> None:
        """Do what an event asks for.

        Raises:
            WorkersUnusable: The problem cannot be opened, or workers die at their start.
        """
        if isinstance(event, WorkerLost):
            self._lost(event)
        else:
            self._received(event)

    def take_ended(self) -> list[int]:
        """Runs that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def write(self) -> None:
        """Write what was reported; an epoch that came out otherwise than before is told."""
        recorded = self._buffer.flush()
        mismatches = recorded.mismatches
        if mismatches and not self.n_mismatches:
            self._say(
                f"Run {mismatches[0].run} trained epoch {mismatches[0].epoch} again and got other "
                "numbers: training is not deterministic here."
            )
        self.n_mismatches += len(mismatches)
        self._retention.tidy(refused={report.run for report in recorded.rejected})

    def _received(self, event: FromWorker) -> None:
        message = event.message
        if isinstance(message, Ready):
            self._registration.ready(event.worker, message)
            return
        if isinstance(message, OpenFailed):
            raise WorkersUnusable(message.message)
        state = self._pool.workers.get(event.worker)
        if state is None:
            return  # a beat of a worker that is still starting
        state.silent_s = 0.0
        if isinstance(message, RunEvent):
            state.booked_s = time.monotonic()
        self._trained(state, message)

    def _trained(self, state: WorkerState, message: Message) -> None:
        if isinstance(message, PackEnded):
            state.busy, state.waiting = False, 0
        elif isinstance(message, Calibrated):
            state.busy = False
            self._sizes.measured(state, message)
        elif isinstance(message, StepsTimed):
            state.busy = False
            self._timings.timed(state, message)
        elif isinstance(message, CheckpointSkipped):
            self._say_once(f"Run {message.run} skips a checkpoint. {message.reason}", message.path)
        elif isinstance(message, EpochDone):
            self._buffer.add(message, solo_s=self._solo_s(state, message.run))
            self._pool.epoch_done(state, message.run, device_s=message.seconds.device_s)
        elif isinstance(message, CheckpointWritten):
            self._buffer.add(message)
            self._retention.written()
        elif isinstance(message, NetworksKept):
            self._buffer.add(message)
            if message.failure:
                self._say_once(f"Run {message.run}'s network is not kept. {message.failure}", "net")
        elif isinstance(message, RunEnded):
            self._run_ended(state, message)

    def _say_once(self, text: str, about: str) -> None:
        if about not in self._told:
            self._told.add(about)
            self._say(text)

    def _solo_s(self, state: WorkerState, run: int) -> float | None:
        claim = state.claims.get(run)
        return None if claim is None else self._timings.charged_s(state, claim.search)

    def _run_ended(self, state: WorkerState, message: RunEnded) -> None:
        if message.failure == OUT_OF_MEMORY and self._failures.may_fit_later(state, message):
            message = replace(message, outcome="released")
        self._buffer.add(message, solo_s=self._solo_s(state, message.run))
        self._ended.append(message.run)
        state.claims.pop(message.run, None)
        state.waiting = message.run if message.waits else 0
        if message.outcome in ("done", "diverged"):
            self._retention.over(message.run)
        elif message.outcome == "failed":
            if message.failure == REPLAY_DIFFERS:
                self._say_once(message.reason, REPLAY_DIFFERS)
            self._failures.failed()

    def _lost(self, event: WorkerLost) -> None:
        """Write what a dead worker has reported; its runs wait again, or have failed."""
        state = self._pool.workers.pop(event.worker, None)
        if state is None:
            self._registration.never_ready(event)
        else:
            self.write()
            self._timings.lost(state)
            self._ended += self._failures.worker_lost(state, event)
        self._pool.replace(event.worker)
