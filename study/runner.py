"""Runs a study: claims runs, hands them to workers, records what comes back, until all is done."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from storage import RunState
from storage.records import Claim, Claimed, StudyRecord
from study.budget import limits_of, price_per_h, said
from study.conductor import Conductor
from study.drivers import Driver, FromWorker, WorkerLost
from study.errors import WorkersUnusable
from study.faults import Faults
from study.holder import liveness, this_process
from study.outcome import Outcome, Progress
from study.outline import Search
from study.packing import pack_of
from study.plan import Plan
from study.recorder import RecordBuffer
from study.retention import forget, tidy
from trainers.events import (
    CheckpointSkipped,
    CheckpointWritten,
    EpochDone,
    Message,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
)

if TYPE_CHECKING:
    from storage import Storage

LEASE_S = 60.0
_RENEW_S = 15.0
_STALE_BEAT_S = 30.0
_DEAF_S = 120.0
_LOOK_S = 5.0
_POLL_S = 0.25
_REPORT_S = 0.5
_MOST_STILLBORN = 10


@dataclass(slots=True)
class _Slot:
    """A worker as the runner sees it."""

    worker_id: int
    last_beat_s: float
    claims: dict[int, Claim] = field(default_factory=dict)  # runs that have not ended
    progressed: set[int] = field(default_factory=set)  # runs with an epoch in this pack
    busy: bool = False  # until the worker says that its pack has ended
    since_s: float = 0.0  # when it was given its pack
    out_of_time: bool = False
    ending: bool = False  # it was killed; `WorkerLost` is on its way


class Runner:
    """One driver process working on one study.

    Args:
        checkpoints: Folder for checkpoint files.
        report: Called about twice a second with the progress.
        say: Called with what a user should know at once.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        study: StudyRecord,
        driver: Driver,
        *,
        checkpoints: Path,
        device: str,
        report: Callable[[Progress], None] = lambda _progress: None,
        say: Callable[[str], None] = lambda _message: None,
    ) -> None:
        self._plan, self._storage, self._study, self._driver = plan, storage, study, driver
        self._checkpoints, self._device = checkpoints, device
        self._report, self._say = report, say
        self._conductor = Conductor(plan, storage, study)
        self._buffer = RecordBuffer(storage)
        self._holder_id = storage.register_holder(this_process())
        self._searches: dict[str, Search] = {search.name: search for search in plan.searches}
        records = storage.searches(study.id)
        self._limits = limits_of(plan, records)
        self._faults = Faults(storage, study.id, {record.name: record.id for record in records})
        self._checkpoint_cap_bytes = int(plan.spec.training.checkpoint_cap_mib * 2**20)
        self._slots: dict[int, _Slot] = {}
        self._ended: list[int] = []
        self._limit = ""
        self._stop_asked = self._stopping = self._queue_dry = self._stuck = False
        self._n_mismatches = 0
        self._started_s = self._renewed_s = self._looked_s = time.monotonic()
        self._reported_s = 0.0
        self._stillborn = 0  # workers in a row that ended before they were ready

    def run(self) -> Outcome:
        """Work until nothing is left, a budget ends it, or `interrupt` was called.

        Raises:
            WorkersUnusable: The problem cannot be opened, or workers die at their start.
            BaselineMissing: The single-task runs failed.
        """
        self._storage.take_back(self._study.id, liveness=liveness)
        self._conductor.move()
        try:
            if not self._conductor.finished:
                self._driver.start()
                self._loop()
        finally:
            self._driver.close()
            self._flush()
            self._give_back()
        return Outcome(
            states=self._storage.totals(self._study.id).states,
            limit=self._limit,
            stopped={**self._conductor.stopped, **self._faults.stopped},
            interrupted=self._stopping,
            n_mismatches=self._n_mismatches,
        )

    def interrupt(self) -> None:
        """Ask workers to save and release their packs; `run` then returns.

        Only sets a flag, so that a signal handler may call it.
        """
        self._stop_asked = True

    def _loop(self) -> None:
        while self._busy() or not self._over():
            for event in self._driver.poll(_POLL_S):
                if isinstance(event, WorkerLost):
                    self._lost(event)
                else:
                    self._received(event)
            if self._stop_asked and not self._stopping:
                self._stopping = True
                self._driver.stop()
            if self._buffer.due():
                self._flush()
            if self._ended:
                ended, self._ended = self._ended, []
                self._faults.look()
                self._conductor.move(ended)
                self._queue_dry = False
            self._hand_out()
            self._end_hanging()
            self._keep_leases()
            self._tell()

    def _over(self) -> bool:
        return bool(self._stopping or self._limit or self._stuck or self._conductor.finished)

    def _flush(self) -> None:
        """Write what was reported; an epoch that came out otherwise than before is told."""
        mismatches = self._buffer.flush().mismatches
        if mismatches and not self._n_mismatches:
            self._say(
                f"Run {mismatches[0].run} trained epoch {mismatches[0].epoch} again and got other "
                "numbers: training is not deterministic here."
            )
        self._n_mismatches += len(mismatches)

    def _busy(self) -> bool:
        return any(slot.busy for slot in self._slots.values())

    def _received(self, event: FromWorker) -> None:
        message = event.message
        if isinstance(message, Ready):
            self._ready(event.worker, message)
            return
        if isinstance(message, OpenFailed):
            raise WorkersUnusable(message.message)
        slot = self._slots.get(event.worker)
        if slot is None:
            return  # a beat of a worker that is still starting
        slot.last_beat_s = time.monotonic()
        self._trained(slot, message)

    def _ready(self, worker: int, message: Ready) -> None:
        worker_id = self._storage.register_worker(
            study_id=self._study.id,
            holder_id=self._holder_id,
            pid=self._driver.pid(worker),
            environment=message.environment,
            startup_s=message.startup_s,
            price_per_h=price_per_h(self._plan.spec, message.environment["device"]),
        )
        self._stillborn = 0
        self._slots[worker] = _Slot(worker_id, time.monotonic())

    def _trained(self, slot: _Slot, message: Message) -> None:
        if isinstance(message, PackEnded):
            slot.busy = False
        elif isinstance(message, CheckpointSkipped):
            self._say(f"Run {message.run} skips a checkpoint. {message.reason}")
        elif isinstance(message, EpochDone):
            self._buffer.add(message)
            slot.progressed.add(message.run)
        elif isinstance(message, CheckpointWritten):
            self._buffer.add(message)
            tidy(self._checkpoints, cap_bytes=self._checkpoint_cap_bytes)
        elif isinstance(message, RunEnded):
            self._buffer.add(message)
            self._ended.append(message.run)
            slot.claims.pop(message.run, None)
            if message.outcome in ("done", "diverged"):
                forget(self._checkpoints, message.run)

    def _lost(self, event: WorkerLost) -> None:
        """Put a dead worker's runs back; a run that kills its workers again and again fails."""
        slot = self._slots.pop(event.worker, None)
        if slot is None:
            self._stillborn += 1
            if self._stillborn >= _MOST_STILLBORN:
                raise WorkersUnusable(
                    f"{self._stillborn} workers in a row ended before they could work. "
                    f"The last: {event.reason}"
                )
        else:
            self._flush()
            self._put_back(slot, event.reason)
        if not self._stopping:
            self._driver.replace(event.worker)

    def _put_back(self, slot: _Slot, reason: str) -> None:
        for claim in slot.claims.values():
            ended = self._faults.lost(
                claim,
                reason,
                progressed=claim.run in slot.progressed,
                out_of_time=slot.out_of_time,
            )
            if ended:
                self._ended.append(claim.run)

    def _hand_out(self) -> None:
        if self._stopping or self._limit or self._queue_dry:
            return
        for worker, slot in self._slots.items():
            if slot.busy:
                continue
            if self._out_of_time():
                return
            claimed = self._storage.claim(
                self._study.id,
                holder_id=self._holder_id,
                worker_id=slot.worker_id,
                n=1,
                lease_s=LEASE_S,
                limits=self._faults.limits(self._limits),
            )
            if not claimed.claims:
                self._queue_dry = True  # until a run ends, here or elsewhere
                self._nothing_to_claim(claimed)
                return
            slot.claims, slot.busy = {claim.run: claim for claim in claimed.claims}, True
            slot.progressed.clear()
            slot.since_s = slot.last_beat_s = time.monotonic()
            pack = pack_of(
                self._plan,
                self._searches,
                claimed.claims,
                checkpoints=self._checkpoints,
                device=self._device,
            )
            self._driver.submit(worker, pack)

    def _out_of_time(self) -> bool:
        wall_s = self._plan.spec.budget.wall_s
        if wall_s is not None and self._wall_s() >= wall_s:
            self._limit = f"the limit of {wall_s:g} s for one run of the command"
        return bool(self._limit)

    def _nothing_to_claim(self, claimed: Claimed) -> None:
        """With nobody at work, what limits refuse now will be refused for good: the study ends."""
        if self._busy() or self._leased_elsewhere():
            return
        if claimed.exhausted:
            self._limit = said(self._plan.spec.budget, claimed.exhausted)
        elif claimed.barred and not self._faults.stopped:
            self._limit = "the budget of its searches"
        else:
            self._stuck = bool(claimed.barred)  # all that is left belongs to stopped searches

    def _leased_elsewhere(self) -> bool:
        return self._storage.totals(self._study.id).states.get(RunState.LEASED, 0) > 0

    def _end_hanging(self) -> None:
        """End workers whose run outlasts its time limit, or that have not beaten for long."""
        limit_s = self._plan.spec.training.run_limit_s or math.inf
        now_s = time.monotonic()
        for worker, slot in self._slots.items():
            if not slot.busy or slot.ending:
                continue
            slot.out_of_time = now_s - slot.since_s > limit_s
            slot.ending = slot.out_of_time or now_s - slot.last_beat_s > _DEAF_S
            if slot.ending:
                self._driver.kill(worker)

    def _keep_leases(self) -> None:
        """Renew the leases of packs whose worker beats; look after what other drivers left."""
        now_s = time.monotonic()
        if now_s - self._renewed_s >= _RENEW_S:
            self._renewed_s = now_s
            fresh = [
                run
                for slot in self._slots.values()
                if now_s - slot.last_beat_s < _STALE_BEAT_S
                for run in slot.claims
            ]
            if fresh:
                self._storage.renew(self._holder_id, fresh, lease_s=LEASE_S)
        if now_s - self._looked_s >= _LOOK_S and not self._stopping:
            self._looked_s = now_s
            self._storage.take_back(self._study.id, liveness=liveness)
            self._give_back_unknown()
            self._conductor.move([])
            self._queue_dry = False

    def _give_back_unknown(self) -> None:
        """Return leases that we have and do not know of: the answer to a claim was lost."""
        known = {run for slot in self._slots.values() for run in slot.claims}
        for run, token in self._storage.leased_by(self._study.id, self._holder_id):
            if run not in known:
                self._storage.take_back_run(run, token, "claim not answered")

    def _give_back(self) -> None:
        """Return what is still leased: workers were ended before they could release it."""
        for slot in self._slots.values():
            for claim in slot.claims.values():
                self._storage.take_back_run(claim.run, claim.token, "driver stopped")

    def _wall_s(self) -> float:
        return time.monotonic() - self._started_s

    def _tell(self) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s >= _REPORT_S:
            self._reported_s = now_s
            self._report(self._progress())

    def _progress(self) -> Progress:
        totals = self._storage.totals(self._study.id)
        running = {c.search for slot in self._slots.values() for c in slot.claims.values()}
        return Progress(
            states=totals.states,
            expected=max(self._plan.expected_runs, sum(totals.states.values())),
            running=tuple(sorted(running)),
            best=dict(self._conductor.best),
            paid_s=totals.device_s,
            workers=len(self._slots),
        )
