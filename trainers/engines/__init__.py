"""Engines train a pack; `train` takes the one the study has fixed."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from trainers.engines._endings import ended, failed, first_epoch
from trainers.engines.calibration import calibrate
from trainers.engines.fusable import network_facts
from trainers.engines.fused import train_fused
from trainers.engines.session import Session, open_session
from trainers.engines.solo import train_run
from trainers.events import EpochDone, Event, Seconds
from trainers.jobs import Job, Pack

__all__ = ["Session", "calibrate", "network_facts", "open_session", "train"]


def train(pack: Pack, session: Session) -> Iterator[Event]:
    """Train the pack's runs up to its `until_epoch`; each run's last event is `RunEnded`.

    An exception ends its run as ``failed``, or all runs that were stacked with it; the others go
    on.
    """
    if pack.engine == "fused":
        yield from train_fused(pack, session)
        return
    for job in pack.jobs:
        if session.stop_requested():
            yield ended(job, "released", epoch=first_epoch(job))
        else:
            yield from _guarded(job, pack, session)


def _guarded(job: Job, pack: Pack, session: Session) -> Iterator[Event]:
    """Train one run; an exception becomes its end, which pays for the time since the last event."""
    epoch, since = first_epoch(job), perf_counter()
    try:
        for event in train_run(job, pack, session):
            if isinstance(event, EpochDone):
                epoch = event.epoch
            yield event
            since = perf_counter()
    except Exception as error:
        seconds = Seconds(train_s=perf_counter() - since)
        yield failed(job, error, epoch=epoch, seconds=seconds, device=session.device)
