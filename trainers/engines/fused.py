"""The fused engine: runs of the same tasks are trained as one stacked model.

Shapes: K runs of a stack.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from trainers import checkpoints
from trainers.engines._clock import Clock
from trainers.engines._endings import (
    Outcome,
    diverged,
    ended,
    failed,
    first_epoch,
    not_saved,
    reached,
)
from trainers.engines._forward import Forward, task_functions
from trainers.engines._ghosts import known_ghosts
from trainers.engines._member import Member, Opening
from trainers.engines._saving import Saving
from trainers.engines._stack import Stack
from trainers.engines.session import Session
from trainers.evaluation import first_not_finite, storable
from trainers.events import (
    CheckpointSkipped,
    CheckpointWritten,
    EpochDone,
    Event,
    RunEnded,
    Seconds,
)
from trainers.jobs import Checkpoint, Job, Pack
from trainers.network import build_network
from trainers.randomness import Key
from trainers.resources import peak_memory_bytes


def train_fused(pack: Pack, session: Session) -> Iterator[Event]:
    """Train all runs of a pack, one stack for each tuple of tasks.

    An exception ends all runs of its stack; the other stacks go on.
    """
    stacks: dict[tuple[str, ...], list[Job]] = {}
    for job in pack.jobs:
        stacks.setdefault(job.tasks, []).append(job)
    for jobs in stacks.values():
        if session.stop_requested():
            yield from (ended(job, "released", epoch=first_epoch(job)) for job in jobs)
        else:
            yield from _guarded(jobs, pack, session)


def _guarded(jobs: Sequence[Job], pack: Pack, session: Session) -> Iterator[Event]:
    """Train runs of the same tasks; an exception becomes the end of all that have not ended.

    They share the time since the last event.
    """
    left = {job.run: job for job in jobs}
    epochs = {job.run: first_epoch(job) for job in jobs}
    since = perf_counter()
    try:
        for event in _Training(jobs, pack, session).events():
            if isinstance(event, EpochDone):
                epochs[event.run] = event.epoch
            elif isinstance(event, RunEnded):
                del left[event.run]
            yield event
            since = perf_counter()
    except Exception as error:
        seconds = Seconds(train_s=(perf_counter() - since) / max(1, len(left)))
        for job in left.values():
            yield failed(job, error, epoch=epochs[job.run], seconds=seconds, device=session.device)


class _Training:
    """Trains runs of the same tasks up to the end of their segment."""

    def __init__(self, jobs: Sequence[Job], pack: Pack, session: Session) -> None:
        self._jobs, self._pack, self._session = jobs, pack, session
        self._places = {job.run: place for place, job in enumerate(jobs)}
        self._clock = Clock(session)
        tasks = jobs[0].tasks
        network = build_network(session.problem, tasks, Key(str(pack.seed)) / "init")
        self._forward = Forward(
            network.to(session.device),
            task_functions(session.problem, tasks),
            pack.training.precision,
        )

    def events(self) -> Iterator[Event]:
        """Train, and tell all runs' events of an epoch together, in the order of the jobs."""
        skipped: list[CheckpointSkipped] = []
        members: dict[int, list[Member]] = {}
        opening = Opening(self._forward.network, self._pack.training, self._session)
        for job in self._jobs:
            try:
                member = opening.member(job, skipped.append)
            except Exception as error:
                seconds = Seconds(startup_s=self._clock.lap())
                yield failed(
                    job, error, epoch=first_epoch(job), seconds=seconds, device=self._session.device
                )
            else:
                members.setdefault(member.epoch, []).append(member)
        yield from skipped
        # A run that fell back to an older checkpoint cannot share batches with the others.
        for epoch in sorted(members):
            if self._session.stop_requested():
                for member in members[epoch]:
                    yield ended(member.job, "released", epoch=epoch)
            else:
                yield from self._trained(members[epoch])

    def _trained(self, members: Sequence[Member]) -> Iterator[Event]:
        """Train runs that stand at the same epoch."""
        pack, stack = self._pack, self._stack(members)
        startup_s, saving = self._share(stack), Saving(pack)
        while stack.epoch < pack.until_epoch:
            events = self._epoch(stack, startup_s)
            startup_s = 0.0
            yield from events
            alive = {event.run for event in events if isinstance(event, EpochDone)}
            if not alive:
                return
            stack = self._kept(stack, alive)
            stopping = self._session.stop_requested() and stack.epoch < pack.until_epoch
            folder = saving.folder(stack.epoch, stopping=stopping)
            if folder is not None:
                yield from self._saved(stack, folder)
                saving.saved()
            if stopping:
                yield from self._ended(stack, "released")
                return
        yield from self._ended(stack, reached(stack.epoch, pack))

    def _epoch(self, stack: Stack, startup_s: float) -> list[EpochDone | RunEnded]:
        """Train and evaluate one epoch; its time is shared equally."""
        session = self._session
        trained, n_steps = stack.train_epoch()
        train_s = self._share(stack)
        validated = stack.evaluate("validation")
        validation_s = self._share(stack)
        tested = stack.evaluate("test")
        seconds = Seconds(
            startup_s=startup_s,
            train_s=train_s,
            validation_s=validation_s,
            test_s=self._share(stack),
        )
        flops = session.epoch_flops(self._forward.network)
        values = [first + second for first, second in zip(trained, validated, strict=True)]
        events: dict[int, EpochDone | RunEnded] = {}
        for member, deciding, last in zip(stack.members, values, tested, strict=True):
            job, what = member.job, first_not_finite(deciding)
            if what:
                events[job.run] = diverged(
                    job, what, epoch=stack.epoch, seconds=seconds, device=session.device
                )
                continue
            events[job.run] = EpochDone(
                run=job.run,
                token=job.token,
                epoch=stack.epoch,
                values=(*deciding, *storable(last)),
                seconds=seconds,
                samples=session.sources["train"].size,
                grad_evals=n_steps,
                flops=flops,
            )
        return [events[run] for run in sorted(events, key=self._places.__getitem__)]

    def _saved(self, stack: Stack, folder: Path) -> Iterator[CheckpointWritten | CheckpointSkipped]:
        """Write one file for all runs, named by the first of them."""
        members = self._in_order(stack)
        first = members[0].job
        path = folder / f"pack-run{first.run}-token{first.token}-epoch{stack.epoch}.pt"
        numbers = [member.job.run for member in stack.members]
        try:
            size = checkpoints.save_runs(dict(zip(numbers, stack.states(), strict=True)), path)
        except OSError as error:
            yield not_saved(first, folder, error)
            return
        seconds = Seconds(checkpoint_s=self._share(stack))
        for member in members:
            yield CheckpointWritten(
                run=member.job.run,
                token=member.job.token,
                checkpoint=Checkpoint(path=str(path), epoch=stack.epoch),
                size_bytes=size,
                seconds=seconds,
            )

    def _ended(self, stack: Stack, outcome: Outcome) -> Iterator[RunEnded]:
        seconds = Seconds(diagnostics_s=self._share(stack))
        peak = peak_memory_bytes(self._session.device)
        for member in self._in_order(stack):
            yield ended(
                member.job, outcome, epoch=stack.epoch, seconds=seconds, peak_memory_bytes=peak
            )

    def _kept(self, stack: Stack, runs: Container[int]) -> Stack:
        """The stack of those runs only, which go on as if the others had never been there."""
        if all(member.job.run in runs for member in stack.members):
            return stack
        states = zip(stack.members, stack.states(), strict=True)
        return self._stack(
            [replace(member, state=state) for member, state in states if member.job.run in runs]
        )

    def _stack(self, members: Sequence[Member]) -> Stack:
        return Stack(
            members,
            self._forward,
            pack=self._pack,
            session=self._session,
            n_ghosts=known_ghosts(
                self._session, tuple(self._forward.functions), self._pack.training
            ),
        )

    def _in_order(self, stack: Stack) -> list[Member]:
        return sorted(stack.members, key=lambda member: self._places[member.job.run])

    def _share(self, stack: Stack) -> float:
        """The time since the last lap, shared by the runs of the stack."""
        return self._clock.lap() / len(stack.members)
