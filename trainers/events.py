"""What a worker tells its driver, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trainers.jobs import Checkpoint, Pack, ProblemRef


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
        return (
            self.startup_s
            + self.train_s
            + self.validation_s
            + self.test_s
            + self.checkpoint_s
            + self.diagnostics_s
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The worker has started and can take packs; sent once.

    Attributes:
        startup_s: From the request for a worker to now.
        environment: Versions and hardware, see `trainers.environment`.
    """

    startup_s: float
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Beat:
    """The worker's process is alive, sent every second from a thread of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDone:
    """One run has finished one epoch.

    Attributes:
        epoch: Counted from 1.
        values: ``(split, task, metric, value)``: train ``loss`` and ``weight``, validation and
            test ``loss`` and metrics.
        seconds: Spent since the last report of this run.
        flops: Estimated floating-point operations, evaluation included.
    """

    run: int
    token: int
    epoch: int
    values: tuple[tuple[str, str, str, float], ...]
    seconds: Seconds
    samples: int
    grad_evals: int
    flops: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointWritten:
    """The run can go on from here; files of earlier epochs may be removed."""

    run: int
    token: int
    checkpoint: Checkpoint
    size_bytes: int
    seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSkipped:
    """A checkpoint could not be read; the run goes on from an older one, or begins again."""

    run: int
    token: int
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The last word on a run in this pack.

    Attributes:
        outcome: ``done``: all epochs; ``paused``: `until_epoch` reached; ``released``: stopped on
            request; ``diverged``: a loss or metric is not finite; ``failed``: an exception.
        epoch: Last epoch with good values.
        reason: For ``diverged``, what was not finite and where; for ``failed``, the exception.
        detail: Traceback of a failure.
        failure: Class of a failure, see `trainers.failures`.
        failure_key: Equal for failures of one cause.
        peak_memory_bytes: Most memory that the process or its device has held so far.
    """

    run: int
    token: int
    outcome: Literal["done", "paused", "released", "diverged", "failed"]
    epoch: int
    seconds: Seconds
    reason: str = ""
    detail: str = ""
    failure: str = ""
    failure_key: str = ""
    peak_memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class PackEnded:
    """All runs of the pack have ended; the worker is free."""


@dataclass(frozen=True, slots=True)
class OpenFailed:
    """The problem could not be opened; the worker ends."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Driver to worker, first of all: load this problem's data on this device.

    Attributes:
        asked_s: When the worker was asked for, on the machine's monotonic clock.
    """

    problem: ProblemRef
    device: str
    threads: int
    asked_s: float


@dataclass(frozen=True, slots=True)
class TrainPack:
    """Driver to worker: train this."""

    pack: Pack


@dataclass(frozen=True, slots=True)
class Stop:
    """Driver to worker: save and release what is being trained at the next epoch's end."""


Event = EpochDone | CheckpointWritten | CheckpointSkipped | RunEnded
Message = Ready | OpenFailed | Beat | Event | PackEnded
