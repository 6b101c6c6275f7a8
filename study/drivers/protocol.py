"""What a driver promises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trainers.events import Message
from trainers.failures import OUT_OF_MEMORY
from trainers.jobs import Calibrate, Pack, TimeSteps


@dataclass(frozen=True, slots=True)
class FromWorker:
    """A message of a worker, named by its number."""

    worker: int
    message: Message


class Loss(StrEnum):
    """How a worker was lost: the class of its attempts in the ledger."""

    WORKER = "WorkerLost"
    """Its process ended, or was killed by whomever, the kernel's memory killer included."""
    NODE = "NodeLost"
    """Its machine died, or could not be reached any more."""
    PREEMPTED = "Preempted"
    """Its machine was taken away, as the cluster had been told it would be."""
    STUCK = "StuckAtStart"
    """It did not come to work in time."""
    MEMORY = OUT_OF_MEMORY
    """The cluster ended it because its machine ran out of memory."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker has ended without being told to.

    Attributes:
        reason: Exit code or signal, and the last lines it printed.
    """

    worker: int
    reason: str
    loss: Loss = Loss.WORKER


DriverEvent = FromWorker | WorkerLost


class Driver(Protocol):
    """Starts workers, hands them packs and brings back what they say.

    A worker is idle between a message that it is free (`trainers.events.Free`) and the next
    `submit`; one that says of its run's end that its call waits is given that run's next pack, or
    stopped. Each
    worker's messages arrive in order; a lost worker's last event is `WorkerLost`, and a successor
    has a number of its own.
    """

    @property
    def size(self) -> int:
        """Number of workers that it keeps at work."""

    def start(self, *, code: str = "", looked: bool = False) -> None:
        """Start the workers; each says `Ready` when it can take packs.

        Args:
            code: Fingerprint of the user's code, whose network workers need to look at but once.
            looked: Whether that was done before.
        """

    def pid(self, worker: int) -> int:
        """Process id of a worker."""

    def submit(self, worker: int, pack: Pack) -> None:
        """Give an idle worker a pack."""

    def calibrate(self, worker: int, wanted: Calibrate | TimeSteps) -> None:
        """Let an idle worker time training steps; it answers `Calibrated` or `StepsTimed`."""

    def poll(self, timeout_s: float) -> Sequence[DriverEvent]:
        """Events since the last call; waits for one at most `timeout_s`."""

    def kill(self, worker: int) -> None:
        """End a worker that hangs; its last event is `WorkerLost`."""

    def replace(self, worker: int) -> None:
        """Start a successor of a lost worker."""

    def stop(self, workers: Iterable[int] | None = None) -> None:
        """Ask workers to save and release what they train, at the next epoch's end.

        Args:
            workers: Their numbers; None for all.
        """

    def close(self) -> None:
        """End all workers."""
