"""Engines train a pack; `train` picks the one the study has fixed."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from trainers.engines.session import Session, open_session
from trainers.engines.solo import train_run
from trainers.events import Event, RunEnded, Seconds
from trainers.jobs import Job, Pack

__all__ = ["Session", "open_session", "train"]


def train(pack: Pack, session: Session) -> Iterator[Event]:
    """Train the pack's runs up to its `until_epoch`; each run's last event is `RunEnded`.

    An exception ends its run as ``failed`` and the others go on.
    """
    for job in pack.jobs:
        if session.stop_requested():
            yield _ended(job, "released")
            continue
        try:
            yield from train_run(job, pack, session)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            yield _ended(job, "failed", reason=reason, detail=traceback.format_exc())


def _ended(job: Job, outcome: str, *, reason: str = "", detail: str = "") -> RunEnded:
    return RunEnded(
        run=job.run,
        token=job.token,
        outcome=outcome,  # type: ignore[arg-type]
        epoch=0 if job.resume is None else job.resume.epoch,
        seconds=Seconds(),
        reason=reason,
        detail=detail,
    )
