"""Trains a pack on the engine that is fixed for its searches."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable, Iterator, Sequence
from time import perf_counter

from trainers.engines.corrupted import on_corrupted
from trainers.engines.fused.engine import Stacks
from trainers.engines.segment import Segment
from trainers.engines.session import Session
from trainers.engines.solo.engine import Solos
from trainers.events import EpochDone, Event, RunEnded, Seconds
from trainers.failures import as_failure
from trainers.jobs import Job, Pack
from trainers.run_ends import ended, failed, first_epoch


def train(pack: Pack, session: Session) -> Iterator[Event]:
    """Train the pack's runs up to its `until_epoch`; each run's last event is `RunEnded`.

    An exception ends its run as ``failed``, or all runs that were stacked with it, or that share
    the batch it came from; the others go on.
    """
    if pack.corruptions is not None:
        session = on_corrupted(session, pack.corruptions, pack.seed)
    for jobs in _groups(pack, session):
        if session.stop_requested():
            yield from (ended(job, "released", epoch=first_epoch(job)) for job in jobs)
        else:
            yield from _guarded(jobs, pack, session)


def _groups(pack: Pack, session: Session) -> list[Sequence[Job]]:
    """Runs that are trained together: stacks have the same tasks, solo runs read the same."""
    if session.group is not None:
        return [[job] for job in pack.jobs]
    if pack.engine == "solo":
        if not session.streamed:
            return [[job] for job in pack.jobs]
        return _together(pack.jobs, lambda job: session.trained_on(job.tasks))
    return _together(pack.jobs, lambda job: job.tasks)


def _together(jobs: Sequence[Job], by: Callable[[Job], Hashable]) -> list[Sequence[Job]]:
    groups: dict[Hashable, list[Job]] = {}
    for job in jobs:
        groups.setdefault(by(job), []).append(job)
    return list(groups.values())


def _guarded(jobs: Sequence[Job], pack: Pack, session: Session) -> Iterator[Event]:
    """Train runs together; an exception becomes the end of all that have not ended.

    They share the time since the last event.
    """
    left = {job.run: job for job in jobs}
    epochs = {job.run: first_epoch(job) for job in jobs}
    since = perf_counter()
    try:
        for event in _events(jobs, pack, session):
            if isinstance(event, EpochDone):
                epochs[event.run] = event.epoch
            elif isinstance(event, RunEnded):
                del left[event.run]
            yield event
            since = perf_counter()
    except GeneratorExit:  # nobody listens any more
        raise
    except BaseException as raised:
        error = as_failure(raised)
        traceback.clear_frames(error.__traceback__)  # they hold tensors, and a source that is read
        spent_s = (perf_counter() - since) * session.n_devices
        seconds = Seconds(train_s=spent_s / max(1, len(left)))
        for job in left.values():
            yield failed(job, error, epoch=epochs[job.run], seconds=seconds, device=session.device)


def _events(jobs: Sequence[Job], pack: Pack, session: Session) -> Iterator[Event]:
    segment = Segment(jobs, pack, session)
    if session.group is not None:
        # torch's compiler comes with it, and takes seconds to import
        from trainers.engines.solo.parallel import Parallels

        return segment.events(Parallels(pack, session, session.group))
    if pack.engine == "fused":
        return segment.events(Stacks(jobs[0].tasks, pack, session))
    return segment.events(Solos(pack, session))
