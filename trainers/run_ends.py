"""The last word on a run, as engines and training functions say it."""

from __future__ import annotations

import traceback
from typing import Any

import torch

from trainers.events import CheckpointSkipped, EndedAs, RunEnded, Seconds
from trainers.failures import OUT_OF_MEMORY, failure_class, failure_key
from trainers.hardware.gpu import end_if_broken, is_crowded
from trainers.jobs import Job, Pack
from trainers.parts import described
from trainers.resources import peak_memory_bytes


def first_epoch(job: Job) -> int:
    """Where a run that was not begun in this pack stands."""
    return job.resume[0].epoch if job.resume else 0


def reached(epoch: int, pack: Pack) -> EndedAs:
    """How a run ends that came to the end of its segment."""
    return "done" if pack.ends or epoch >= pack.training.epochs else "paused"


def ended(
    job: Job, outcome: EndedAs, *, epoch: int, seconds: Seconds | None = None, **more: Any
) -> RunEnded:
    """The end of a run."""
    return RunEnded(
        run=job.run,
        token=job.token,
        outcome=outcome,
        epoch=epoch,
        seconds=Seconds() if seconds is None else seconds,
        **more,
    )


def failed(
    job: Job, error: BaseException, *, epoch: int, seconds: Seconds, device: torch.device
) -> RunEnded:
    """An exception as the end of a run.

    Raises:
        DeviceBroken: The GPU does not work any more: the failure may not have been the run's.
    """
    end_if_broken(device)
    failure = failure_class(error)
    return ended(
        job,
        "failed",
        epoch=epoch,
        seconds=seconds,
        reason=described(error),
        detail="".join(traceback.format_exception(error)),
        failure=failure,
        crowded=failure == OUT_OF_MEMORY and is_crowded(device),
        failure_key=failure_key(error),
        peak_memory_bytes=peak_memory_bytes(device),
    )


def diverged(
    job: Job, what: str, *, epoch: int, seconds: Seconds, device: torch.device, **cost: Any
) -> RunEnded:
    """The end of a run whose `epoch`, which has its `cost`, gave a value that is not finite."""
    return ended(
        job,
        "diverged",
        epoch=epoch - 1,
        seconds=seconds,
        reason=f"In epoch {epoch} the {what}.",
        peak_memory_bytes=peak_memory_bytes(device),
        **cost,
    )


def not_saved(job: Job, folder: str, error: OSError) -> CheckpointSkipped:
    """The word on a checkpoint that could not be written: the disk is full, or gone."""
    reason = f"A checkpoint could not be written to {folder}: {error.strerror or error}."
    return CheckpointSkipped(run=job.run, token=job.token, path=folder, reason=reason)
