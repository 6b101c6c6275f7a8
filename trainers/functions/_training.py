"""Trains runs by a function of one's own: its reports become the events of an engine.

The function runs in a thread, so that its reports can be passed on while it trains.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import torch

from trainers.endings import diverged, ended, failed, first_epoch, not_saved
from trainers.errors import BadReport
from trainers.events import CheckpointSkipped, EpochDone, Event, RunEnded, Seconds
from trainers.functions._journal import Journal
from trainers.functions._open import FunctionSession
from trainers.functions._report import Report, Reported, Stopped
from trainers.jobs import Job, Pack
from trainers.resources import peak_memory_bytes


def train_function(pack: Pack, session: FunctionSession) -> Iterator[Event]:
    """Train the pack's runs one after the other; each run's last event is `RunEnded`."""
    for job in pack.jobs:
        if session.stop_requested():
            yield ended(job, "released", epoch=first_epoch(job))
        else:
            yield from _Call(job, pack, session).events()


class _Call:
    """One run, from the call of the function to its end."""

    def __init__(self, job: Job, pack: Pack, session: FunctionSession) -> None:
        self._job, self._pack, self._session = job, pack, session
        self._said: SimpleQueue[Reported | CheckpointSkipped | BaseException | None] = SimpleQueue()
        self._journal = Journal(pack.checkpoints, job)
        self._report = Report(
            session.metric,
            self._tell,
            skipped=self._journal.skipped,
            until=pack.until_epoch,
            last=pack.training.epochs,
            stop_requested=session.stop_requested,
        )

    def events(self) -> Iterator[Event]:
        """Call the function, and tell what it reports."""
        with tempfile.TemporaryDirectory(prefix="weighbridge-") as aside:
            threading.Thread(target=self._run, args=(self._folder(aside),), daemon=True).start()
            while isinstance(said := self._said.get(), Reported | CheckpointSkipped):
                yield said if isinstance(said, CheckpointSkipped) else self._epoch(said)
        yield self._ending(said)

    def _run(self, folder: Path) -> None:
        session, job = self._session, self._job
        try:
            session.caller(session.function, job.hyper, self._pack.seed, folder, self._report)
            if not self._report.step:
                raise BadReport(
                    f"A training function reports {session.metric!r} at least once, or returns it. "
                    "It ended without. Call `report(step, metrics)` after each epoch."
                )
        except Stopped:
            self._said.put(None)
        except BaseException as error:  # in a thread, an exit would be lost
            self._said.put(error)
        else:
            self._said.put(None)

    def _tell(self, said: Reported) -> None:
        try:
            self._journal.add(said)
        except OSError as error:  # what it is for is to lose nothing by a kill, which may not come
            self._said.put(not_saved(self._job, str(self._pack.checkpoints), error))
        self._said.put(said)

    def _folder(self, aside: str) -> Path:
        """Where the run keeps its own checkpoints; without a place for these, one that is gone."""
        place = Path(aside) if self._pack.checkpoints is None else Path(self._pack.checkpoints)
        folder = place / self._job.file_name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _epoch(self, said: Reported) -> EpochDone:
        (task,) = self._job.tasks
        return EpochDone(
            run=self._job.run,
            token=self._job.token,
            epoch=said.step,
            values=tuple((split, task, metric, value) for split, metric, value in said.values),
            seconds=Seconds(train_s=said.seconds),
            samples=0,
            grad_evals=0,
        )

    def _ending(self, error: BaseException | None) -> RunEnded:
        report, job = self._report, self._job
        seconds = Seconds(train_s=report.seconds_since)
        device = torch.device(self._session.device)
        if error is not None:
            return failed(job, error, epoch=report.step, seconds=seconds, device=device)
        if report.why == "diverged":
            what = f"metric {report.metric} was not finite"
            return diverged(job, what, epoch=report.step + 1, seconds=seconds, device=device)
        return ended(
            job,
            report.why or "done",
            epoch=report.step,
            seconds=seconds,
            peak_memory_bytes=peak_memory_bytes(device),
        )
