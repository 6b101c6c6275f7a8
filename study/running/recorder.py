"""From workers' events to rows, in batches of up to a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from storage import RunState
from storage.records import (
    CheckpointRecord,
    Ending,
    EpochRecord,
    ExhibitRecord,
    NetworkFile,
    NetworkRecord,
    PairStatistics,
    Recorded,
    Report,
    Spent,
)
from trainers.events import CheckpointWritten, EpochDone, NetworksKept, RunEnded, Seconds

if TYPE_CHECKING:
    from storage import Storage

RunEvent = EpochDone | CheckpointWritten | NetworksKept | RunEnded
"""Events that become rows."""

_PHASES = tuple(phase.name for phase in fields(Seconds))
_STATES = {
    "done": RunState.DONE,
    "diverged": RunState.DIVERGED,
    "failed": RunState.FAILED,
    "paused": RunState.PAUSED,
    "released": RunState.WAITING,
}


class RecordBuffer:
    """Holds epoch reports back for up to a second; endings are written at once with them.

    A run's last epochs and its ending are thereby one transaction.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        flush_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage, self._flush_s, self._clock = storage, flush_s, clock
        self._pending: list[Report] = []
        self._oldest_s = 0.0
        self._has_ending = False

    def add(self, event: RunEvent, *, solo_s: float | None = None) -> None:
        """Take an event in.

        Args:
            solo_s: What the epoch would have taken alone, if it was trained in a pack.
        """
        if not self._pending:
            self._oldest_s = self._clock()
        self._pending.append(to_report(event, solo_s))
        self._has_ending = self._has_ending or isinstance(event, RunEnded)

    def due(self) -> bool:
        """Whether something should be written now."""
        if not self._pending:
            return False
        waited_s = self._clock() - self._oldest_s
        return self._has_ending or waited_s >= self._flush_s

    def flush(self) -> Recorded:
        """Write everything; returns what was refused, and what came out otherwise than before."""
        if not self._pending:
            return Recorded()
        reports, self._pending, self._has_ending = self._pending, [], False
        return self._storage.record(reports)


def to_report(event: RunEvent, solo_s: float | None = None) -> Report:
    """The record of an event."""
    if isinstance(event, EpochDone):
        return EpochRecord(
            run=event.run,
            token=event.token,
            epoch=event.epoch,
            values=event.values,
            spent=_spent(event),
            solo_s=solo_s,
            conflicts=[PairStatistics(**asdict(found)) for found in event.conflicts],
            exhibits=[
                ExhibitRecord(**asdict(shown), round=event.round) for shown in event.exhibits
            ],
            round=event.round,
        )
    if isinstance(event, CheckpointWritten):
        return CheckpointRecord(
            run=event.run,
            token=event.token,
            epoch=event.checkpoint.epoch,
            path=event.checkpoint.path,
            size_bytes=event.size_bytes,
            spent=_spent(event),
        )
    if isinstance(event, NetworksKept):
        return NetworkRecord(
            run=event.run,
            token=event.token,
            files=[NetworkFile(**asdict(file)) for file in event.files],
            spent=_spent(event),
        )
    return _ending(event, solo_s)


def _ending(event: RunEnded, solo_s: float | None) -> Ending:
    failed = event.outcome in ("failed", "released")  # what failed may be tried again
    return Ending(
        run=event.run,
        token=event.token,
        state=_STATES[event.outcome],
        epoch=event.epoch,
        spent=_spent(event),
        reason=event.reason,
        failure=event.failure or None if failed else None,
        failure_key=event.failure_key or None if failed else None,
        solo_s=solo_s if event.outcome == "diverged" else None,
        detail=event.detail,
        peak_memory_bytes=event.peak_memory_bytes or None,
        round=event.round,
    )


def _spent(event: RunEvent) -> Spent:
    # once an epoch of every run: `asdict` would copy recursively
    spent = {phase: getattr(event.seconds, phase) for phase in _PHASES}
    if isinstance(event, EpochDone | RunEnded):
        spent |= {
            "samples": event.samples,
            "grad_evals": event.grad_evals,
            "flops": event.flops,
        }
    return Spent(**spent, energy_j=event.energy_j)
