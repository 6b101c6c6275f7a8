"""Trains one run anew for the sake of its network: what it reports is compared, not recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from study.drivers import Driver, FromWorker
from study.errors import NetworkMissing, WorkersUnusable
from trainers.events import (
    CheckpointWritten,
    EpochDone,
    Event,
    NetworksKept,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
)

if TYPE_CHECKING:
    from trainers.jobs import Pack

_POLL_S = 1.0

RecordedValues = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Split to task to metric to value."""


def trained_again(driver: Driver, pack: Pack, recorded: RecordedValues) -> Mapping[str, Any]:
    """The ``network`` and ``outside`` of a pack's only run after its `until_epoch`.

    Args:
        driver: Of one worker, which is not started yet; it is closed.
        recorded: What the run reported of that epoch when it was trained first.

    Raises:
        NetworkMissing: It came out otherwise.
        WorkersUnusable: The problem cannot be opened, or the worker died.
    """
    # loads torch
    from trainers.keeping import checkpoints, networks

    (job,) = pack.jobs
    job = replace(job, select_by=())  # the last epoch of all is kept, an earlier one is saved
    with TemporaryDirectory() as folder:
        state: Mapping[str, Any] = {}
        for event in _events(driver, replace(pack, jobs=(job,), checkpoints=folder)):
            if isinstance(event, EpochDone) and event.epoch == pack.until_epoch:
                _compare(event, recorded)
            elif (
                isinstance(event, CheckpointWritten) and event.checkpoint.epoch == pack.until_epoch
            ):
                state = checkpoints.state_of(job.run, checkpoints.load(event.checkpoint.path))
            elif isinstance(event, NetworksKept):
                for file in event.files:
                    state = networks.load(file.path, sha256=file.sha256)
            elif isinstance(event, RunEnded) and event.reason:
                raise NetworkMissing(f"Run {job.run} ended otherwise than before. {event.reason}")
    if not state:
        raise NetworkMissing(f"The network of run {job.run} cannot be saved on this machine.")
    return state


def _events(driver: Driver, pack: Pack) -> Iterator[Event]:
    driver.start()
    try:
        while True:
            for event in driver.poll(_POLL_S):
                if not isinstance(event, FromWorker):
                    raise WorkersUnusable(f"The worker that trained the run died. {event.reason}")
                if isinstance(event.message, OpenFailed):
                    raise WorkersUnusable(event.message.message)
                if isinstance(event.message, PackEnded):
                    return
                if isinstance(event.message, Ready):
                    driver.submit(event.worker, pack)
                elif isinstance(event.message, Event):
                    yield event.message
    finally:
        driver.close()


def _compare(done: EpochDone, recorded: RecordedValues) -> None:
    for split, task, metric, value in done.values:
        if split not in recorded:  # of a sealed study, test values are not known here
            continue
        before = recorded[split].get(task, {}).get(metric)
        if value != before:
            raise NetworkMissing(
                f"A run that is trained again comes out as before. Run {done.run} did not: {split} "
                f"{metric} of task {task} after epoch {done.epoch} is {value!r}, recorded was "
                f"{before!r}. Train it on the same kind of device, with the code and the versions "
                "of then, which `weighbridge log` names."
            )
