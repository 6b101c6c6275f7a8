"""Runs a study: claims runs, hands them to workers, records what comes back, until all is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from storage import RunState
from storage.records import Claim, Ending, Spent, StudyRecord
from study.advance import to_point
from study.budget import Used, exhausted
from study.conductor import Conductor
from study.drivers import Driver, FromWorker, WorkerLost
from study.errors import WorkersUnusable
from study.holder import is_dead, this_process
from study.outline import Search
from study.plan import Plan
from study.recorder import RecordBuffer
from trainers.events import (
    CheckpointWritten,
    EpochDone,
    Message,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
)
from trainers.jobs import Checkpoint, Job, Pack

if TYPE_CHECKING:
    from storage import Storage

LEASE_S = 60.0
_RENEW_S = 15.0
_STALE_BEAT_S = 30.0
_LOOK_S = 5.0
_POLL_S = 0.25
_REPORT_S = 0.5
_MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a running study stands.

    Attributes:
        expected: Runs expected in all; an upper estimate until every stage has been proposed.
        running: Names of the searches in training now.
        best: Lowest mean validation delta_m decided so far, by search.
        paid_s: Device-seconds of all attempts so far.
    """

    states: Mapping[RunState, int]
    expected: int
    running: tuple[str, ...]
    best: Mapping[str, float]
    paid_s: float
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a `run` ended.

    Attributes:
        limit: The budget that ended it, empty if none did.
        stopped: Searches that ended before their last stage, with the reason.
        interrupted: Whether it was asked to stop.
    """

    states: Mapping[RunState, int]
    limit: str
    stopped: Mapping[str, str]
    interrupted: bool

    @property
    def n_failed(self) -> int:
        """Runs that failed."""
        return self.states.get(RunState.FAILED, 0)


@dataclass(slots=True)
class _Slot:
    """A worker as the runner sees it."""

    worker_id: int
    last_beat_s: float
    claims: dict[int, Claim] = field(default_factory=dict)  # runs that have not ended
    busy: bool = False  # until the worker says that its pack has ended


class Runner:
    """One driver process working on one study.

    Args:
        checkpoints: Folder for checkpoint files.
        report: Called about twice a second with the progress.
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
    ) -> None:
        self._plan, self._storage, self._study, self._driver = plan, storage, study, driver
        self._checkpoints, self._device, self._report = checkpoints, device, report
        self._conductor = Conductor(plan, storage, study)
        self._buffer = RecordBuffer(storage)
        self._holder_id = storage.register_holder(this_process())
        self._searches: dict[str, Search] = {search.name: search for search in plan.searches}
        self._search_ids = {record.name: record.id for record in storage.searches(study.id)}
        self._slots: dict[int, _Slot] = {}
        self._ended: list[int] = []
        self._limit = ""
        self._stop_asked = self._stopping = self._queue_dry = False
        self._started_s = self._renewed_s = self._looked_s = time.monotonic()
        self._reported_s = 0.0

    def run(self) -> Outcome:
        """Work until nothing is left, a budget ends it, or `interrupt` was called.

        Raises:
            WorkersUnusable: The problem cannot be opened, or workers die at their start.
            BaselineMissing: The single-task runs failed.
        """
        self._storage.take_back(self._study.id, is_dead=is_dead)
        self._conductor.move()
        try:
            if not self._conductor.finished:
                self._driver.start()
                self._loop()
        finally:
            self._driver.close()
            self._buffer.flush()
            self._give_back()
        return Outcome(
            states=self._storage.totals(self._study.id).states,
            limit=self._limit,
            stopped=self._conductor.stopped,
            interrupted=self._stopping,
        )

    def interrupt(self) -> None:
        """Ask workers to save and release their packs; `run` then returns.

        Only sets a flag, so that a signal handler may call it.
        """
        self._stop_asked = True

    def _loop(self) -> None:
        while self._busy() or not (self._stopping or self._limit or self._conductor.finished):
            for event in self._driver.poll(_POLL_S):
                if isinstance(event, WorkerLost):
                    self._lost(event)
                else:
                    self._received(event)
            if self._stop_asked and not self._stopping:
                self._stopping = True
                self._driver.stop()
            if self._buffer.due():
                self._buffer.flush()
            if self._ended:
                ended, self._ended = self._ended, []
                self._conductor.move(ended)
                self._queue_dry = False
            self._hand_out()
            self._keep_leases()
            self._tell()

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
        )
        self._slots[worker] = _Slot(worker_id, time.monotonic())

    def _trained(self, slot: _Slot, message: Message) -> None:
        if isinstance(message, PackEnded):
            slot.busy = False
        elif isinstance(message, EpochDone | CheckpointWritten):
            self._buffer.add(message)
        elif isinstance(message, RunEnded):
            self._buffer.add(message)
            self._ended.append(message.run)
            slot.claims.pop(message.run, None)
            self._forget_files(message)

    def _lost(self, event: WorkerLost) -> None:
        """Put a dead worker's runs back; a run that kills its workers again and again fails."""
        slot = self._slots.pop(event.worker, None)
        if slot is None:
            raise WorkersUnusable(f"A worker ended before it could work: {event.reason}")
        self._buffer.flush()
        for claim in slot.claims.values():
            if claim.token < _MOST_ATTEMPTS:
                self._storage.take_back_run(claim.run, claim.token, f"worker lost: {event.reason}")
            else:
                self._storage.record([_worker_killer(claim, event.reason)])
                self._ended.append(claim.run)
        if not self._stopping:
            self._driver.replace(event.worker)

    def _hand_out(self) -> None:
        if self._stopping or self._limit or self._queue_dry:
            return
        for worker, slot in self._slots.items():
            if slot.busy:
                continue
            self._limit, barred = self._used_up()
            if self._limit:
                return
            claims = self._storage.claim(
                self._study.id,
                holder_id=self._holder_id,
                worker_id=slot.worker_id,
                n=1,
                lease_s=LEASE_S,
                barred=barred,
            )
            if not claims:
                self._queue_dry = True  # until a run ends, here or elsewhere
                self._nothing_to_claim(barred)
                return
            slot.claims, slot.busy = {claim.run: claim for claim in claims}, True
            slot.last_beat_s = time.monotonic()
            self._driver.submit(worker, self._pack(claims))

    def _used_up(self) -> tuple[str, list[int]]:
        """The study's budget that is used up, if one is, and the searches whose budgets are."""
        epochs = self._plan.training.epochs
        used = self._used_by_study()
        reason = exhausted(self._plan.spec.budget, used, next_epochs=epochs)
        barred: list[int] = []
        for search in self._plan.searches:
            limits = search.budget
            if limits.epochs is None and limits.device_s is None and limits.wall_s is None:
                continue
            search_id = self._search_ids[search.name]
            device_s, n_epochs = self._storage.search_totals(search_id)
            ahead = epochs * sum(
                claim.search == search.name
                for slot in self._slots.values()
                for claim in slot.claims.values()
            )
            used = Used(epochs=n_epochs + ahead, device_s=device_s, wall_s=self._wall_s())
            if exhausted(limits, used, next_epochs=epochs):
                barred.append(search_id)
        return reason or "", barred

    def _used_by_study(self) -> Used:
        budget = self._plan.spec.budget
        if budget.epochs is None and budget.device_s is None:
            return Used(epochs=0, device_s=0.0, wall_s=self._wall_s())
        totals = self._storage.totals(self._study.id)
        ahead = self._plan.training.epochs * sum(len(slot.claims) for slot in self._slots.values())
        return Used(epochs=totals.epochs + ahead, device_s=totals.device_s, wall_s=self._wall_s())

    def _nothing_to_claim(self, barred: list[int]) -> None:
        """With all budgets of waiting searches used up and nobody at work, the study ends."""
        if barred and not self._busy() and not self._leased_elsewhere():
            self._limit = "the budget of its searches"

    def _leased_elsewhere(self) -> bool:
        return self._storage.totals(self._study.id).states.get(RunState.LEASED, 0) > 0

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
            self._storage.take_back(self._study.id, is_dead=is_dead)
            self._conductor.move([])
            self._queue_dry = False

    def _give_back(self) -> None:
        """Return what is still leased: workers were ended before they could release it."""
        for slot in self._slots.values():
            for claim in slot.claims.values():
                self._storage.take_back_run(claim.run, claim.token, "driver stopped")

    def _pack(self, claims: list[Claim]) -> Pack:
        return Pack(
            problem=self._plan.problem,
            training=self._plan.training,
            seed=claims[0].seed,
            until_epoch=self._plan.training.epochs,
            jobs=tuple(self._job(claim) for claim in claims),
            device=self._device,
            checkpoints=str(self._checkpoints),
            checkpoint_s=self._plan.spec.training.checkpoint_s,
        )

    def _job(self, claim: Claim) -> Job:
        search = self._searches[claim.search]
        point = dict(to_point(claim.params))
        lr, weight_decay = float(point.pop("lr")), float(point.pop("weight_decay"))  # type: ignore[arg-type]
        return Job(
            run=claim.run,
            token=claim.token,
            weighting="ew" if search.role == "baseline" else search.weighting,
            tasks=search.tasks,
            lr=lr,
            weight_decay=weight_decay,
            hyper=point,  # type: ignore[arg-type]
            address=claim.params,
            resume=_usable(claim),
        )

    def _forget_files(self, ended: RunEnded) -> None:
        """Remove the checkpoints of a run that will never go on."""
        if ended.outcome in ("done", "diverged"):
            for path in self._checkpoints.glob(f"run{ended.run}-token*.pt"):
                path.unlink(missing_ok=True)

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


def _usable(claim: Claim) -> Checkpoint | None:
    """The newest checkpoint whose file is there."""
    for path, epoch in claim.checkpoints:
        if Path(path).exists():
            return Checkpoint(path=path, epoch=epoch)
    return None


def _worker_killer(claim: Claim, reason: str) -> Ending:
    return Ending(
        run=claim.run,
        token=claim.token,
        state=RunState.FAILED,
        epoch=0,
        spent=Spent(),
        reason=f"{claim.token} workers ended while training it; the last: {reason}",
        failure="WorkerLost",
    )
