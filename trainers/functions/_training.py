"""Trains runs by a function of one's own: its reports become the events of an engine.

The function runs in a thread, so that its reports can be passed on while it trains.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Literal

import torch

from trainers.errors import BadExhibit, BadReport, NoFolder
from trainers.events import CheckpointSkipped, EpochDone, Event, RunEnded, Seconds
from trainers.exhibits import PackedExhibit
from trainers.functions._open import FunctionSession
from trainers.functions._report import Report, Reported, RunStopped
from trainers.jobs import Job, Pack
from trainers.resources import peak_memory_bytes
from trainers.run_ends import diverged, ended, failed, first_epoch, not_saved

_AtRung = Literal["at rung"]
_AT_RUNG: Final[_AtRung] = "at rung"
_Said = Reported | CheckpointSkipped | BaseException | _AtRung | None


def train_function(pack: Pack, session: FunctionSession) -> Iterator[Event]:
    """Train the pack's runs one after the other; each run's last event is `RunEnded`.

    A call that waits at its rung goes on if the pack is its run's next one, and ends if it is not.
    """
    waiting = session.rung.take()
    if waiting is not None and [job.run for job in pack.jobs] == [waiting.job.run]:
        yield from waiting.go_on(pack)
        return
    if waiting is not None:
        waiting.end()
    for job in pack.jobs:
        if session.stop_requested():
            yield ended(job, "released", epoch=first_epoch(job))
        else:
            yield from _Call(job, pack, session).begin()


class _Call:
    """One run, from the call of the function to its end; over several attempts if it may wait.

    Attributes:
        job: Of the attempt.
        pack: Of the attempt.
    """

    def __init__(self, job: Job, pack: Pack, session: FunctionSession) -> None:
        self.job, self.pack, self._session = job, pack, session
        self._said: SimpleQueue[_Said] = SimpleQueue()
        self._until: SimpleQueue[int | None] = SimpleQueue()
        self._told: SimpleQueue[None] = SimpleQueue()
        self._aside: tempfile.TemporaryDirectory[str] | None = None
        self._journal = _Journal(pack.checkpoints, job)
        self._report = Report(
            session.metric,
            self._tell,
            skipped=self._journal.skipped,
            repeated=self._repeated,
            until=pack.until_epoch,
            last=pack.training.epochs,
            stop_requested=session.stop_requested,
            at_rung=self._wait,
            others=session.others,
            allowed=session.allowed,
        )

    def begin(self) -> Iterator[Event]:
        """Call the function, and tell what it reports."""
        try:
            folder = self._folder()
        except OSError as error:
            return self._refused(error)
        threading.Thread(target=self._run, args=(folder,), daemon=True).start()
        return self._events()

    def go_on(self, pack: Pack) -> Iterator[Event]:
        """Let the call go on from its rung with its run's next attempt."""
        self.pack, (self.job,) = pack, pack.jobs
        self._until.put(pack.until_epoch)
        return self._events()

    def end(self) -> None:
        """Stop the call at its rung; its attempt has ended, and what it raises is but printed."""
        self._until.put(None)
        while not isinstance(said := self._said.get(), BaseException | None):
            if isinstance(said, Reported):
                self._told.put(None)
        self._clean()
        if said is not None:
            with contextlib.suppress(Exception):  # the function may have closed the stream
                traceback.print_exception(said)

    def _events(self) -> Iterator[Event]:
        """What the function reports until its run ends, or waits at a rung."""
        while isinstance(said := self._said.get(), Reported | CheckpointSkipped):
            if isinstance(said, CheckpointSkipped):
                yield said
            else:
                yield self._epoch(said)
                self._told.put(None)
        if said == _AT_RUNG:
            self._session.rung.keep(self)
            yield self._ended("paused", waits=True)
            return
        self._clean()
        yield self._ending(said)

    def _wait(self) -> int | None:
        """At a rung, wait for the run's next pack if it may come at once; called by the thread."""
        if not self.pack.waits_at_rung or self._session.stop_requested():
            return None
        self._said.put(_AT_RUNG)
        return self._until.get()

    def _run(self, folder: Path) -> None:
        session = self._session
        try:
            session.train(self.job, self.pack, folder, self._report)
            if not self._report.step and not self._recalled():
                raise BadReport(
                    f"A training function reports {session.metric!r} at least once, or returns it. "
                    "It ended without. Call `report(step, metrics)` after each epoch."
                )
            if unsent := self._report.unsent:
                raise BadExhibit(
                    "What is shown goes out with the next report. Got none after "
                    f"{', '.join(unsent)}. Call `report.show` before `report`."
                )
        except RunStopped:
            self._said.put(None)
        except BaseException as error:  # in a thread, an exit would be lost
            self._said.put(error)
        else:
            self._said.put(None)

    def _tell(self, said: Reported) -> None:
        """Tell a report; called by the thread, which goes on when it has left this process.

        So neither a report nor what was printed before it is lost by a death that comes after it.
        """
        try:
            self._journal.add(said)
        except OSError as error:  # what it is for is to lose nothing by a kill, which may not come
            self._said.put(not_saved(self.job, str(self.pack.checkpoints), error))
        self._said.put(said)
        self._told.get()

    def _repeated(self, said: Reported) -> bool:
        """Whether a report was made before; it is told as it was then, unless that is known."""
        before = self._journal.last
        if before is None or _row(before) != _row(said):
            return False
        if before.step > self.job.recorded:
            self._tell(before)
        return True

    def _recalled(self) -> bool:
        """Whether attempts before have reported all there is; what nobody knows of it is told.

        A kill came behind the last report: the function finds nothing left to do.
        """
        if (last := self._journal.last) is None:
            return False
        for said in self._journal.skipped(last.step + 1):
            self._tell(said)
        self._report.stand_at(last)
        return True

    def _folder(self) -> Path:
        """Where the run keeps its own checkpoints; without a place for these, one that is gone."""
        if self.pack.checkpoints is None:
            self._aside = tempfile.TemporaryDirectory(prefix="weighbridge-")
            return Path(self._aside.name)
        folder = Path(self.pack.checkpoints) / self.job.file_name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _clean(self) -> None:
        if self._aside is not None:
            self._aside.cleanup()

    def _refused(self, why: OSError) -> Iterator[Event]:
        """The end of a run that cannot be given a folder; the next one may be."""
        place = self.pack.checkpoints or tempfile.gettempdir()
        error = NoFolder(
            f"A training function is given a folder of its own to write to. In {place} none can be "
            f"made: {why}. Make room or give rights there, or name another place with "
            "`--checkpoints`; then `weighbridge retry`."
        )
        device, epoch = torch.device(self._session.device), first_epoch(self.job)
        yield failed(self.job, error, epoch=epoch, seconds=Seconds(), device=device)

    def _epoch(self, said: Reported) -> EpochDone:
        (task,) = self.job.tasks
        return EpochDone(
            run=self.job.run,
            token=self.job.token,
            epoch=said.step,
            values=tuple((split, task, metric, value) for split, metric, value in said.values),
            seconds=Seconds(**said.phases()),
            samples=said.samples,
            grad_evals=said.grad_evals,
            flops=said.flops,
            round=said.round,
            exhibits=said.exhibits,
        )

    def _ending(self, error: BaseException | None) -> RunEnded:
        report, job = self._report, self.job
        seconds = Seconds(**report.phases_since())
        device = torch.device(self._session.device)
        if error is not None:
            return failed(job, error, epoch=report.step, seconds=seconds, device=device)
        if report.why == "diverged":
            what = f"metric {' or '.join(report.metrics)} was not finite"
            epoch = report.step + 1
            return diverged(
                job, what, epoch=epoch, seconds=seconds, device=device, round=report.round
            )
        return self._ended(report.why or "done")

    def _ended(
        self, outcome: Literal["paused", "released", "done"], *, waits: bool = False
    ) -> RunEnded:
        return ended(
            self.job,
            outcome,
            epoch=self._report.step,
            seconds=Seconds(**self._report.phases_since()),
            peak_memory_bytes=peak_memory_bytes(torch.device(self._session.device)),
            waits=waits,
        )


class _Journal:
    """The reports of one run, over all its attempts, written down beside its folder.

    A function that resumes by itself goes on behind its last step. Reports of the moment before a
    kill may not have reached the database by then, and the function will not make them again.

    Args:
        folder: Where checkpoints go; without one, nothing is written down.
    """

    def __init__(self, folder: str | None, job: Job) -> None:
        self._path = None if folder is None else Path(folder) / f"{job.file_name}.reports"
        self._recorded = job.recorded

    def add(self, said: Reported) -> None:
        """Write a report down."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                # on a line of its own, even behind one within which the writer was killed
                file.write("\n" + json.dumps(asdict(said)))

    def skipped(self, step: int) -> list[Reported]:
        """Reports before a step that are not known yet, by step; of one step the last."""
        found = {said.step: said for said in self._read()}
        return [said for _, said in sorted(found.items()) if self._recorded < said.step < step]

    @property
    def last(self) -> Reported | None:
        """The last report of all."""
        return max(self._read(), key=lambda said: said.step, default=None)

    def _read(self) -> Iterator[Reported]:
        if self._path is None:
            return
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError:  # there is none yet, or none can be
            return
        for line in text.splitlines():
            try:
                plain = json.loads(line)
            except ValueError:
                continue  # blank, or torn
            if isinstance(plain, list):  # as it was written before there were rounds
                plain = dict(zip(("step", "seconds", "values"), plain, strict=True))
            plain["values"] = tuple(map(tuple, plain["values"]))
            plain["exhibits"] = tuple(PackedExhibit(**one) for one in plain.get("exhibits", ()))
            yield Reported(**plain)


def _row(said: Reported) -> tuple[object, ...]:
    """What a report is known by, whatever it took."""
    return said.step, said.round, said.values
