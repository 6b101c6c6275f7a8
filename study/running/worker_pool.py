"""The workers of a driver process, as its runner sees them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.records import Claim
from study.drivers import Driver
from trainers.jobs import Calibrate, Engine, Pack, TimeSteps


@dataclass(slots=True)
class WorkerState:
    """A worker.

    Attributes:
        hardware: What it trains on.
        n_devices: How many of it; a part of one that workers share.
        code: Fingerprint of the user's own code as it has loaded it; empty for none.
        size: Runs of its pack when it was given.
        rows: Of its stacks, padding included; as many as runs where there is none.
        engine: By which its pack is trained.
        epochs_wanted: Of the runs of its pack, together, when it was given.
        epochs_done: Of these.
        claims: Runs of its pack that have not ended.
        progressed: Runs with an epoch in this pack.
        busy: Until the worker says that its pack has ended.
        since_s: When it was given its pack.
        booked_s: Up to when its reports say what its pack has cost.
        epoch_s: What the last epoch of its pack took.
        silent_s: For how long it has said nothing while the driver listened.
        price_per_h: Of one device; None if it has no price.
        waiting: The run whose call waits at its rung, with the worker busy and no run in training;
            0 for none.
        leaving: It was asked to save and release its pack.
        ending: It was killed; `WorkerLost` is on its way.
        why_ended: Why it was killed, to begin what is said of its loss; empty if it was not.
        rests_until_s: Not given a pack before: its device was full of other processes' memory.
    """

    worker_id: int
    hardware: str = ""
    n_devices: float = 1.0
    code: str = ""
    size: int = 0
    rows: int = 0
    engine: Engine = "solo"
    epochs_wanted: int = 0
    epochs_done: int = 0
    claims: dict[int, Claim] = field(default_factory=dict)
    progressed: set[int] = field(default_factory=set)
    busy: bool = False
    since_s: float = 0.0
    booked_s: float = 0.0
    epoch_s: float = 0.0
    silent_s: float = 0.0
    price_per_h: float | None = None
    waiting: int = 0
    leaving: bool = False
    out_of_time: bool = False
    ending: bool = False
    why_ended: str = ""
    rests_until_s: float = 0.0

    @property
    def only_times(self) -> bool:
        """Whether it is at work, but trains no runs: it times steps."""
        return self.busy and not self.claims and not self.waiting

    def unbooked_s(self, now_s: float) -> float:
        """Device-seconds since the last report that each run left in the pack has to pay."""
        return self.n_devices * (now_s - self.booked_s) / max(1, len(self.claims))

    def take(
        self,
        claims: Sequence[Claim],
        now_s: float,
        rows: int | None = None,
        engine: Engine = "solo",
    ) -> None:
        """Be given a pack."""
        self.claims, self.busy = {claim.run: claim for claim in claims}, True
        self.size, self.epochs_done = len(claims), 0
        self.rows, self.engine = rows or len(claims), engine
        self.epochs_wanted = sum(claim.epochs_left for claim in claims)
        self.progressed.clear()
        self.since_s = self.booked_s = now_s
        self.silent_s = 0.0
        self.leaving, self.waiting = False, 0


class WorkerPool:
    """All workers that have said that they are ready, by the driver's numbers.

    Attributes:
        driver: Who starts them and speaks with them.
        stopping: They have been asked to save and release their packs, for good.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.stopping = False
        self.workers: dict[int, WorkerState] = {}
        self._epochs = self._epochs_times_size = 0

    def train(self, worker: int, claims: Sequence[Claim], pack: Pack) -> None:
        """Give a worker the pack of these runs."""
        self.workers[worker].take(claims, time.monotonic(), pack.rows, pack.engine)
        self.driver.submit(worker, pack)

    def calibrate(self, worker: int, wanted: Calibrate | TimeSteps) -> None:
        """Have a worker time steps."""
        self.workers[worker].take([], time.monotonic())
        self.driver.calibrate(worker, wanted)

    def release(self, worker: int) -> None:
        """Ask a worker to save and release its pack."""
        self.workers[worker].leaving = True
        self.driver.stop([worker])

    def release_all(self) -> None:
        """Ask all that have not been asked to save and release their packs; more may be given."""
        for worker, state in self.workers.items():
            if (state.claims or state.waiting) and not state.leaving:
                self.release(worker)

    def stop(self) -> None:
        """Ask all to save and release their packs, for good."""
        self.stopping = True
        self.driver.stop()

    def end(self, worker: int, why: str, *, out_of_time: bool) -> None:
        """Kill a worker.

        Args:
            why: To begin what is said of its loss.
            out_of_time: Its pack has outlasted its limit.
        """
        state = self.workers[worker]
        state.ending, state.why_ended, state.out_of_time = True, why, out_of_time
        self.driver.kill(worker)

    def replace(self, worker: int) -> None:
        """Start another one for a worker that is gone, unless all are to end."""
        if not self.stopping:
            self.driver.replace(worker)

    @property
    def mean_pack_size(self) -> float:
        """Runs of the pack that an epoch was trained in, on average; 1 before the first one."""
        return self._epochs_times_size / self._epochs if self._epochs else 1.0

    def epoch_done(self, state: WorkerState, run: int, *, device_s: float) -> None:
        """A run of a worker's pack has finished an epoch, which has cost so much of its device."""
        state.epoch_s = device_s * max(1, len(state.claims)) / state.n_devices
        state.progressed.add(run)
        state.epochs_done += 1
        self._epochs += 1
        self._epochs_times_size += state.size

    @property
    def busy(self) -> bool:
        """Whether somebody trains a pack."""
        return any(state.busy for state in self.workers.values())

    @property
    def training(self) -> bool:
        """Whether somebody trains runs, or ends a call, and does not only time steps."""
        return any(state.claims or state.waiting for state in self.workers.values())

    def waits_for(self, now_s: float) -> str:
        """What an end takes in which all runs are saved, in words; empty if nobody trains."""
        at_work = [state for state in self.workers.values() if state.claims]
        if not at_work:
            return ""
        runs = sum(len(state.claims) for state in at_work)
        left_s = max(state.booked_s + state.epoch_s - now_s for state in at_work)
        soon = f", in about {left_s:.0f} s" if left_s >= 1 else ""
        return (
            f"Waiting for the end of this epoch{soon}: workers then save what they train "
            f"(workers: {len(at_work)}, runs: {runs})."
        )

    @property
    def claims(self) -> list[Claim]:
        """Runs in anybody's pack that have not ended."""
        return [claim for state in self.workers.values() for claim in state.claims.values()]

    @property
    def runs_left(self) -> float:
        """Runs that are in training, less what of them is done."""
        return sum(
            state.size * max(0.0, 1.0 - state.epochs_done / max(1, state.epochs_wanted))
            for state in self.workers.values()
            if state.claims
        )

    def listened(self, seconds: float) -> None:
        """The driver has listened to all workers for so long; who has spoken is heard next."""
        for state in self.workers.values():
            state.silent_s += seconds

    def beating(self, within_s: float) -> list[int]:
        """Runs of workers that have not been silent for so long."""
        return [
            run
            for state in self.workers.values()
            if state.silent_s < within_s
            for run in state.claims
        ]
