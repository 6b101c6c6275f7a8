"""What happens on each event of a driver: a worker is ready, reports, ends or is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from study.drivers import DriverEvent, FromWorker, Loss, WorkerLost
from study.errors import WorkersUnusable
from study.planning.budget import price_per_h
from study.running.code_check import unread_note, worker_note
from study.running.pack_sizes import PackSizes
from study.running.recorder import RecordBuffer
from study.running.retention import Retention
from study.running.shift import Shift
from study.running.worker_pool import WorkerState
from trainers.events import (
    Calibrated,
    CheckpointSkipped,
    CheckpointWritten,
    EpochDone,
    Message,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
)
from trainers.failures import OUT_OF_MEMORY, REPLAY_DIFFERS
from trainers.hardware.environment import hardware_of
from trainers.worker.code import told_code

_MOST_STILLBORN = 10
_MOST_STUCK = 3


class EventHandler:
    """Takes a driver's events in, and has what workers report written down.

    Args:
        files: Folder of the study's files.
        say: Called with what a user should know at once.

    Attributes:
        n_mismatches: Epochs that were trained again and came out otherwise.
    """

    def __init__(
        self,
        shift: Shift,
        retention: Retention,
        sizes: PackSizes,
        *,
        files: str,
        say: Callable[[str], None],
    ) -> None:
        self._shift, self._retention, self._sizes = shift, retention, sizes
        self._files, self._say = files, say
        self._buffer = RecordBuffer(shift.storage)
        self._ended: list[int] = []
        self._told: set[str] = set()
        self._stillborn = 0  # workers in a row that ended before they were ready
        self.n_mismatches = 0

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

    def write_due(self) -> None:
        """Write what was reported, if it is time."""
        if self._buffer.due():
            self.write()

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
            self._ready(event.worker, message)
            return
        if isinstance(message, OpenFailed):
            raise WorkersUnusable(message.message)
        state = self._shift.pool.workers.get(event.worker)
        if state is None:
            return  # a beat of a worker that is still starting
        state.silent_s = 0.0
        if isinstance(message, EpochDone | CheckpointWritten | RunEnded):
            state.booked_s = time.monotonic()
        self._trained(state, message)

    def _ready(self, worker: int, message: Ready) -> None:
        shift, code = self._shift, told_code(message.environment)
        if shift.engine.settle(code.fingerprint, message.network):
            self._stillborn = 0
        price = price_per_h(shift.plan.spec, message.environment["device"])
        if note := worker_note(shift.plan, code, host=message.environment.get("host", "?")):
            self._say_once(note, note)
        if note := unread_note(shift.plan, message.unread):
            self._say_once(note, note)
        worker_id = shift.storage.register_worker(
            study_id=shift.study_id,
            holder_id=shift.holder_id,
            pid=shift.pool.driver.pid(worker),
            environment=message.environment,
            startup_s=message.startup_s,
            price_per_h=price,
            files=self._files,
        )
        hardware = hardware_of(message.environment)
        shift.pool.workers[worker] = WorkerState(
            worker_id, hardware, message.n_devices, price_per_h=price, code=code.fingerprint
        )

    def _trained(self, state: WorkerState, message: Message) -> None:
        if isinstance(message, PackEnded):
            state.busy, state.waiting = False, 0
        elif isinstance(message, Calibrated):
            state.busy = False
            self._sizes.measured(state, message)
        elif isinstance(message, CheckpointSkipped):
            self._say_once(f"Run {message.run} skips a checkpoint. {message.reason}", message.path)
        elif isinstance(message, EpochDone):
            self._buffer.add(message, solo_s=self._solo_s(state, message.run))
            self._shift.pool.epoch_done(state, message.run, device_s=message.seconds.device_s)
        elif isinstance(message, CheckpointWritten):
            self._buffer.add(message)
            self._retention.written()
        elif isinstance(message, RunEnded):
            self._run_ended(state, message)

    def _say_once(self, text: str, about: str) -> None:
        if about not in self._told:
            self._told.add(about)
            self._say(text)

    def _solo_s(self, state: WorkerState, run: int) -> float | None:
        claim = state.claims.get(run)
        return None if claim is None else self._sizes.solo_s(state, claim.search)

    def _run_ended(self, state: WorkerState, message: RunEnded) -> None:
        if message.failure == OUT_OF_MEMORY and self._may_fit_later(state, message):
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
            self._shift.failures.failed()

    def _may_fit_later(self, state: WorkerState, message: RunEnded) -> bool:
        """Whether a run for which memory ran out is tried again: in a smaller pack, or later."""
        if state.rows > 1:
            self._sizes.halve(state, "took too much memory")
            return True
        pause_s = self._shift.failures.crowded(message.run) if message.crowded else None
        if pause_s is None:
            return False
        state.rests_until_s = time.monotonic() + pause_s
        self._say(
            f"Run {message.run} found too little memory: other processes hold some of the GPU's. "
            f"Its worker tries again in {pause_s:g} s."
        )
        return True

    def _lost(self, event: WorkerLost) -> None:
        """Put a dead worker's runs back; a run that kills its workers again and again fails."""
        state = self._shift.pool.workers.pop(event.worker, None)
        if state is None:
            self._never_worked(event)
        else:
            self.write()
            self._sizes.lost(state)
            self._put_back(state, event)
        self._shift.pool.replace(event.worker)

    def _never_worked(self, event: WorkerLost) -> None:
        self._stillborn += 1
        if event.loss is Loss.STUCK and self._stillborn >= _MOST_STUCK:
            limit_s = self._shift.plan.spec.training.open_limit_s
            raise WorkersUnusable(
                f"Workers must be ready to train within [training] `open_limit_s`, {limit_s:g} s. "
                f"{self._stillborn} in a row were not: loading the data or a first forward pass "
                "hangs, or needs longer. Try it alone, or raise the limit."
            )
        if self._stillborn >= _MOST_STILLBORN:
            raise WorkersUnusable(
                f"{self._stillborn} workers in a row ended before they could work. "
                f"The last: {event.reason}"
            )

    def _put_back(self, state: WorkerState, event: WorkerLost) -> None:
        unbooked_s = state.unbooked_s(time.monotonic())
        if event.loss is Loss.MEMORY:
            self._sizes.halve(state, "took too much memory")
        elif event.loss is Loss.WORKER and (state.out_of_time or not state.progressed):
            self._sizes.halve(state, "was lost with its worker")
        for claim in state.claims.values():
            ended = self._shift.failures.lost(
                claim,
                state.why_ended + event.reason,
                loss=event.loss,
                progressed=claim.run in state.progressed,
                out_of_time=state.out_of_time,
                alone=state.size == 1,
                unbooked_s=unbooked_s,
            )
            if ended:
                self._ended.append(claim.run)
