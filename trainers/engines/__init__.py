"""Engines train a pack; `train` picks the one the study has fixed."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from time import perf_counter
from typing import Any, Literal

from trainers.engines.session import Session, open_session
from trainers.engines.solo import train_run
from trainers.events import EpochDone, Event, RunEnded, Seconds
from trainers.failures import failure_class, failure_key
from trainers.jobs import Job, Pack
from trainers.resources import peak_memory_bytes

__all__ = ["Session", "open_session", "train"]


def train(pack: Pack, session: Session) -> Iterator[Event]:
    """Train the pack's runs up to its `until_epoch`; each run's last event is `RunEnded`.

    An exception ends its run as ``failed`` and the others go on.
    """
    for job in pack.jobs:
        if session.stop_requested():
            yield _ended(job, "released", epoch=_start(job))
        else:
            yield from _guarded(job, pack, session)


def _guarded(job: Job, pack: Pack, session: Session) -> Iterator[Event]:
    """Train one run; an exception becomes its end, which pays for the time since the last event."""
    epoch, since = _start(job), perf_counter()
    try:
        for event in train_run(job, pack, session):
            if isinstance(event, EpochDone):
                epoch = event.epoch
            yield event
            since = perf_counter()
    except Exception as error:
        yield _ended(
            job,
            "failed",
            epoch=epoch,
            seconds=Seconds(train_s=perf_counter() - since),
            reason=f"{type(error).__name__}: {error}",
            detail=traceback.format_exc(),
            failure=failure_class(error),
            failure_key=failure_key(error),
            peak_memory_bytes=peak_memory_bytes(session.device),
        )


def _start(job: Job) -> int:
    return job.resume[0].epoch if job.resume else 0


def _ended(
    job: Job,
    outcome: Literal["released", "failed"],
    *,
    epoch: int,
    seconds: Seconds | None = None,
    **more: Any,
) -> RunEnded:
    return RunEnded(
        run=job.run,
        token=job.token,
        outcome=outcome,
        epoch=epoch,
        seconds=Seconds() if seconds is None else seconds,
        **more,
    )
