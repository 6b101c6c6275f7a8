"""Runs a study: claims runs, hands them to workers, records what comes back, until all is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage import RunState, StudyChanged
from storage.records import StudyRecord
from study.commands import command_line
from study.deciding.progress import Progress
from study.drivers import Driver
from study.drivers.holder import this_process
from study.errors import ClusterLost
from study.planning.budget import limits_of
from study.planning.plan import Plan
from study.running.conductor import Conductor
from study.running.dispatch import Dispatch
from study.running.engine_state import EngineState
from study.running.epoch_timings import EpochTimings
from study.running.event_handler import EventHandler
from study.running.failure_policy import FailurePolicy
from study.running.kept_networks import NetworkRetention
from study.running.leases import LeaseKeeper
from study.running.limiter import Limiter
from study.running.orders import StudyOrders
from study.running.pack_sizes import PackSizes
from study.running.packing import Packer
from study.running.progress_meter import ProgressMeter
from study.running.registration import Registration
from study.running.retention import Retention
from study.running.watch import end_hanging
from study.running.worker_pool import WorkerPool

if TYPE_CHECKING:
    from storage import Storage

_POLL_S = 0.25
_LOOK_S = 5.0
_REPORT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a `run` ended.

    Attributes:
        limit: The budget that ended it, empty if none did.
        stopped: Searches that ended before their last stage, with the reason.
        interrupted: Whether it was asked to stop.
        finished: Whether no search wants more runs.
        n_mismatches: Epochs that were trained again and came out otherwise.
        paused: Whether a command has paused the study by now.
    """

    states: Mapping[RunState, int]
    limit: str
    stopped: Mapping[str, str]
    interrupted: bool
    n_mismatches: int = 0
    finished: bool = False
    paused: bool = False

    @property
    def n_failed(self) -> int:
        """Runs that failed."""
        return self.states.get(RunState.FAILED, 0)


class Runner:
    """One driver process working on one study.

    Args:
        checkpoints: Folder for checkpoint files, a path or a URL.
        report: Called about once a second with the progress.
        say: Called with what a user should know at once.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        study: StudyRecord,
        driver: Driver,
        *,
        checkpoints: str,
        device: str,
        report: Callable[[Progress], None] = lambda _progress: None,
        say: Callable[[str], None] = lambda _message: None,
    ) -> None:
        records, study_id = storage.searches(study.id), study.id
        search_ids = {record.name: record.id for record in records}
        holder_id, pool = storage.register_holder(this_process()), WorkerPool(driver)
        budget, limits = plan.spec.budget, limits_of(plan, records)
        engine = EngineState(plan, storage, study, device=device, say=say)
        sizes = PackSizes(plan, storage, study_id, engine, workers=driver.size, say=say)
        timings = EpochTimings(plan, storage, study_id, sizes, searches=search_ids)
        packer = Packer(plan, engine, checkpoints=checkpoints, device=device)
        retry = command_line("retry", study.name, storage=storage.url)
        failures = FailurePolicy(storage, study_id, search_ids, sizes, retry=retry, say=say)
        cap_bytes = int(plan.spec.training.checkpoint_cap_mib * 2**20)
        registration = Registration(
            plan, storage, study_id, holder_id, pool, engine, files=checkpoints, say=say
        )
        self._plan, self._storage, self._study_id = plan, storage, study_id
        self._pool, self._engine, self._failures = pool, engine, failures
        self._conductor = Conductor(plan, storage, study)
        self._retention = Retention(storage, study_id, checkpoints, cap_bytes=cap_bytes)
        self._networks = NetworkRetention(storage, study_id, checkpoints, plan.spec.keep, say=say)
        self._leases = LeaseKeeper(storage, study_id, holder_id=holder_id, pool=pool)
        self._events = EventHandler(
            storage, pool, registration, failures, sizes, timings, self._retention, say=say
        )
        self._dispatch = Dispatch(
            self._leases,
            pool,
            engine,
            sizes,
            timings,
            failures,
            packer,
            budget=budget,
            limits=limits,
        )
        self._limiter = Limiter(storage, study_id, pool, budget, limits=limits, searches=search_ids)
        self._meter = ProgressMeter(storage, study_id, pool, self._conductor, sizes)
        self._orders = StudyOrders(plan, storage, study, say=say)
        self._records = records
        self._report, self._say = report, say
        self._interrupted = False
        self._changed: StudyChanged | None = None
        self._looked_s = time.monotonic()
        self._reported_s = 0.0

    def run(self) -> Outcome:
        """Work until nothing is left, a budget ends it, or `interrupt` was called.

        Raises:
            WorkersUnusable: The problem cannot be opened, or workers die at their start.
            ClusterLost: The cluster has gone.
            BaselineMissing: The single-task runs failed.
            StudyChanged: Another command has extended or deleted the study; what was trained is
                saved.
        """
        self._leases.take_over()
        self._move()
        why = ("DriverStopped", "its driver was ended")
        try:
            if not (self._conductor.finished or self._changed):
                code = self._plan.code.fingerprint
                self._pool.driver.start(code=code, looked=self._engine.looked(code))
                self._loop()
        except ClusterLost as error:
            why = (type(error).__name__, str(error))
            if not self._interrupted:  # else what ends this process may have ended that first
                raise
            self._say(str(error))
        finally:
            ended_s = time.monotonic()
            self._pool.driver.close()
            self._events.write()
            self._leases.give_back(*why, ended_s=ended_s)
        if self._changed is not None:
            raise self._changed
        states = self._storage.totals(self._study_id).states
        if RunState.LEASED not in states:
            self._retention.sweep()
            self._networks.sweep()
            if self._conductor.finished and not self._plan.spec.trains_itself:
                self._networks.tell_lacking(self._conductor.contests.values())
        return Outcome(
            states=states,
            limit=self._dispatch.limit,
            stopped={**self._conductor.stopped, **self._failures.stopped},
            interrupted=self._interrupted,
            n_mismatches=self._events.n_mismatches,
            finished=self._conductor.finished,
            paused=self._orders.paused,
        )

    def interrupt(self) -> None:
        """Ask workers to save and release their packs; `run` then returns.

        Only sets a flag, so that a signal handler may call it.
        """
        self._interrupted = True

    def _loop(self) -> None:
        while self._at_work() or not self._over():
            self._events.listen(_POLL_S)
            self._go_on()
            self._follow_orders()
            self._stop_in_time()
            self._dispatch.hand_out()
            end_hanging(self._pool, self._plan.spec.training)
            self._leases.renew()
            self._look_around()
            self._tell()

    def _over(self) -> bool:
        ended = self._dispatch.limit or self._dispatch.stuck or self._conductor.finished
        return bool(ended or self._pool.stopping)

    def _at_work(self) -> bool:
        """Whether workers are to be waited for; at the end, not for such as only time steps."""
        pool = self._pool
        return pool.training if pool.stopping else pool.busy

    def _follow_orders(self) -> None:
        """Do what commands from outside want: pause, go on, end, keep to another budget."""
        pool, dispatch = self._pool, self._dispatch
        if pool.stopping:
            return
        try:
            plan = self._orders.look()
        except StudyChanged as error:
            self._changed, self._interrupted = error, True
            return
        if plan is not None:
            limits = limits_of(plan, self._records)
            self._limiter.follow(plan.spec.budget, limits)
            dispatch.follow(plan.spec.budget, limits)
            self._conductor.follow(plan)
            self._move([])
        self._interrupted = self._interrupted or self._orders.stopped
        if dispatch.paused != self._orders.paused:
            dispatch.paused = self._orders.paused
            dispatch.refresh()
        if dispatch.paused:
            pool.release_all()

    def _stop_in_time(self) -> None:
        """Have workers save and release their packs when a limit is reached, or on request."""
        pool = self._pool
        if pool.stopping:
            return
        if not self._dispatch.limit:
            self._dispatch.limit = self._limiter.look()
        if self._interrupted or self._dispatch.limit:
            pool.stop()
            if waits := pool.waits_for(time.monotonic()):
                self._say(waits)

    def _go_on(self) -> None:
        """Let searches go on from runs that have ended."""
        if ended := self._events.take_ended():
            self._failures.look()
            self._move(ended)

    def _move(self, ended: Sequence[int] | None = None) -> None:
        try:
            self._conductor.move(ended)
        except StudyChanged as error:
            self._changed, self._interrupted = error, True
        for run in self._conductor.take_pruned():
            self._retention.over(run)
        baseline = self._conductor.baseline
        self._networks.tidy(
            ended, self._conductor.contests.values(), baseline=baseline.hash if baseline else ""
        )
        self._dispatch.refresh()

    def _look_around(self) -> None:
        """Every few seconds, look after what other drivers have done or left."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S or self._pool.stopping:
            return
        self._looked_s = now_s
        self._leases.take_over()
        self._leases.give_back_unknown()
        for wait in self._leases.waits():
            self._say(wait)
        self._move([])

    def _tell(self) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s >= _REPORT_S:
            self._reported_s = now_s
            self._report(self._meter.read())
