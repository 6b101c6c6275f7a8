"""What the drivers of `storage_machine` report."""

from __future__ import annotations

from storage import RunState
from storage.records import (
    CheckpointRecord,
    Claim,
    Ending,
    EpochRecord,
    Spent,
)

STALE = -1.0  # the value in reports that must never be stored


def value_of(run: int, epoch: int) -> float:
    return run * 1000.0 + epoch


def epoch_report(claim: Claim, number: int, cost: float, current: bool) -> EpochRecord:
    value = value_of(claim.run, number) if current else STALE
    return EpochRecord(
        run=claim.run,
        token=claim.token,
        epoch=number,
        values=(("validation", "a", "error", value),),
        spent=Spent(train_s=cost),
    )


def checkpoint_report(claim: Claim, number: int) -> CheckpointRecord:
    return CheckpointRecord(
        run=claim.run,
        token=claim.token,
        epoch=number,
        path=f"{claim.token}-{number}",
        size_bytes=1,
        spent=Spent(checkpoint_s=0.5),
    )


def end_report(claim: Claim, epoch: int, state: RunState, cost: float) -> Ending:
    return Ending(
        run=claim.run,
        token=claim.token,
        state=state,
        epoch=epoch,
        spent=Spent(test_s=cost),
    )
