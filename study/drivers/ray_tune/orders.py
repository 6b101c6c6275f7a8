"""What the driver tells its slots."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trainers.jobs import ProblemRef, Task, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """What a slot's workers are opened with.

    Attributes:
        workers: Slots that there are at most, here or on other nodes.
        resources: Of one of them, by Ray's names in small letters.
        open_limit_s: Longest time until a worker can train.
        fork_server: Where the driver's fork_server listens, if slots and driver share a machine.
        code: Fingerprint of the user's code.
        looked: Whether the network that it makes was looked at before.
    """

    problem: ProblemRef
    training: Training
    device: str
    workers: int
    resources: Mapping[str, float]
    open_limit_s: float = math.inf
    fork_server: str | None = None
    code: str = ""
    looked: bool = False


@dataclass(frozen=True, slots=True)
class RunTask:
    """An order to a slot's worker.

    Attributes:
        worker: Its number in the slot.
    """

    worker: int
    task: Task


@dataclass(frozen=True, slots=True)
class StopSlot:
    """Save and release what is in training."""


@dataclass(frozen=True, slots=True)
class CloseSlot:
    """There is no more to do."""


@dataclass(frozen=True, slots=True)
class DrainSlot:
    """Save and release what is in training, and begin anew on another node."""


Order = RunTask | StopSlot | CloseSlot | DrainSlot
