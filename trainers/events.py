"""What a worker tells its driver, in plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from trainers.exhibits import PackedExhibit
from trainers.gradients import PairStatistics
from trainers.jobs import Calibrate, Checkpoint, Pack, Precision, ProblemRef, TimeSteps, Training
from trainers.pickling import pickled_by_values

EndedAs = Literal["done", "paused", "released", "diverged", "failed"]
"""What a run comes to in a worker."""


@pickled_by_values
@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Time of a device by phase."""

    startup_s: float = 0.0
    train_s: float = 0.0
    validation_s: float = 0.0
    test_s: float = 0.0
    checkpoint_s: float = 0.0
    diagnostics_s: float = 0.0

    @property
    def device_s(self) -> float:
        """All phases together."""
        trained = self.startup_s + self.train_s + self.validation_s + self.test_s
        return trained + self.checkpoint_s + self.diagnostics_s


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """What decides the engine of a network, and whether its runs share packs without a stack.

    Attributes:
        convolutional: It has convolutions.
        obstacle: Why its runs cannot be stacked, as a sentence's end; empty if they can.
        streamed: Its data is decoded batch by batch, so that runs gain by sharing them.
        unsaved: Why its runs cannot be saved, in the same way.
        last_batch: Why it fails on the last batch of an epoch, if that holds one sample.
    """

    convolutional: bool
    obstacle: str
    streamed: bool = False
    unsaved: str = ""
    last_batch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a problem must keep to, as it was tried.

    Attributes:
        needed: Whether runs are wrong without it; else they are slower, or begin again.
        found: What stands against it, as a sentence; empty if it is kept.
    """

    name: str
    needed: bool
    found: str

    @property
    def broken(self) -> bool:
        """Whether runs of this problem would be wrong."""
        return self.needed and bool(self.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The worker has started and can take packs; sent once.

    Attributes:
        network: What was found when it was looked at; None where `Open.looked` spares it.
        startup_s: From the request for a worker to now.
        environment: Versions and hardware, see `trainers.hardware.environment`.
        n_devices: How many its seconds are counted for; a share of one that workers share.
        unread: Modules of the user's own whose source is not part of the code's fingerprint.
    """

    startup_s: float
    environment: Mapping[str, str]
    network: NetworkFacts | None
    n_devices: float = 1.0
    unread: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """Where the processes that train a run together meet: of the first, and to the others."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Beat:
    """The worker's process is alive, sent every second from a thread of its own."""


@pickled_by_values
@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDone:
    """One run has finished one epoch.

    Attributes:
        epoch: Counted from 1.
        values: ``(split, task, metric, value)``: train ``loss`` and ``weight``, validation and
            test ``loss`` and metrics.
        seconds: Spent since the last report of this run.
        flops: Estimated floating-point operations, evaluation included.
        energy_j: Energy of `seconds`, see `trainers.hardware.energy`; None: not measured.
        conflicts: How alike gradients were, if the pack asks.
        round: Which time training has begun anew, from 1; epochs are counted over all of them.
        exhibits: What the run shows beside its metrics.
        more: Whether other events follow at once.
    """

    run: int
    token: int
    epoch: int
    values: tuple[tuple[str, str, str, float], ...]
    seconds: Seconds
    samples: int
    grad_evals: int
    flops: float = 0.0
    energy_j: float | None = None
    conflicts: tuple[PairStatistics, ...] = ()
    round: int = 1
    exhibits: tuple[PackedExhibit, ...] = ()
    more: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointWritten:
    """The run can go on from here; files of earlier epochs may be removed.

    Attributes:
        energy_j: Energy of `seconds`; None if it is not measured.
    """

    run: int
    token: int
    checkpoint: Checkpoint
    size_bytes: int
    seconds: Seconds
    energy_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFile:
    """A run's network after `epoch` epochs.

    Attributes:
        path: Of the file, or its URL.
        sha256: Of the file's bytes, in hexadecimal.
    """

    epoch: int
    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworksKept:
    """Networks of a run that is done, of every epoch that may yet be selected; its end follows.

    Attributes:
        failure: Why one could not be written, as a sentence; empty if all were.
        energy_j: Energy of `seconds`; None if it is not measured.
    """

    run: int
    token: int
    files: tuple[NetworkFile, ...]
    seconds: Seconds
    failure: str = ""
    energy_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSkipped:
    """A checkpoint could not be read, or not be written; the run goes on without it."""

    run: int
    token: int
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The last word on a run in this pack.

    Attributes:
        outcome: ``done``: all epochs, or all of a pack that ends early; ``paused``: `until_epoch`
            reached; ``released``: stopped on request; ``diverged``: a loss or metric is not finite;
            ``failed``: an exception.
        epoch: Last epoch with good values.
        reason: For ``diverged``, what was not finite and where; for ``failed``, the exception.
        samples: Of the epoch that diverged, which is trained and paid for, but not reported.
        grad_evals: Of the same epoch.
        flops: Of the same epoch, as in `EpochDone`; `round` likewise.
        detail: Traceback of a failure.
        failure: Class of a failure, see `trainers.failures`.
        failure_key: Equal for failures of one cause.
        crowded: Memory ran out while other processes held some of the device's.
        peak_memory_bytes: Most memory that the process or its device has held so far.
        energy_j: Energy of `seconds`; None if it is not measured.
        more: Whether other runs' ends follow at once.
        waits: The call of a training function waits at its rung: no `PackEnded` follows before the
            worker is given the run's next pack, or is told to stop.
    """

    run: int
    token: int
    outcome: EndedAs
    epoch: int
    seconds: Seconds
    samples: int = 0
    grad_evals: int = 0
    flops: float = 0.0
    round: int = 1
    reason: str = ""
    detail: str = ""
    failure: str = ""
    failure_key: str = ""
    crowded: bool = False
    peak_memory_bytes: int = 0
    energy_j: float | None = None
    more: bool = field(default=False, compare=False)
    waits: bool = False


@dataclass(frozen=True, slots=True)
class PackEnded:
    """All runs of the pack have ended; the worker is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeTimes:
    """What steps of one network take.

    Attributes:
        epoch_s: Training and validation of one epoch of one run alone.
        run_step_ms: Pack size -> time of a training step divided by the runs; 1 is one run alone.
        pack_size: The size with the best of these times; 1 if no pack was tried.
    """

    tasks: tuple[str, ...]
    epoch_s: float
    run_step_ms: Mapping[int, float]
    pack_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """A calibration is over; the worker is free.

    Attributes:
        failure: The error that ended it, with nothing measured; empty for none.
    """

    shapes: tuple[ShapeTimes, ...]
    seconds: float
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsTimed:
    """The steps of runs were timed; the worker is free.

    Attributes:
        sweeps: Of each sweep, run -> s that training and validation of an epoch of it take alone.
            A run that raised is in none, else each is in all.
    """

    sweeps: tuple[Mapping[int, float], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class OpenFailed:
    """The problem could not be opened; the worker ends."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Driver to worker, first of all: load this problem's data on this device.

    Attributes:
        asked_s: When the worker was asked for, on the machine's monotonic clock.
        precision: What the network is looked at in.
        training: Whose batches it is looked at with.
        compile: Whether runs will need torch's compiler.
        memory_share: How much of the device's memory is this worker's.
        rank: Which of the processes that train a run together this is. The first is the worker;
            the others hear a `Rendezvous` next, and say nothing but that they do not open.
        ranks: Their number.
        host: Address of the first one's machine, under which the others find it.
        looked: Fingerprint of the code whose network another worker looks at, or has looked at:
            who has loaded the same need not. None: nobody has.
    """

    problem: ProblemRef
    device: str
    threads: int
    asked_s: float
    precision: Precision = "float32"
    training: Training | None = None
    compile: bool = False
    memory_share: float = 1.0
    rank: int = 0
    ranks: int = 1
    host: str = "127.0.0.1"
    looked: str | None = None


@dataclass(frozen=True, slots=True)
class CalibrateNow:
    """Driver to worker: time this."""

    wanted: Calibrate | TimeSteps


@dataclass(frozen=True, slots=True)
class TrainPack:
    """Driver to worker: train this."""

    pack: Pack


@dataclass(frozen=True, slots=True)
class Stop:
    """Driver to worker: save and release what is being trained at the next epoch's end."""


Event = EpochDone | CheckpointWritten | NetworksKept | CheckpointSkipped | RunEnded
Free = Ready | PackEnded | Calibrated | StepsTimed
"""With these a worker says that it is free."""
Message = Ready | OpenFailed | Rendezvous | Beat | Event | PackEnded | Calibrated | StepsTimed
