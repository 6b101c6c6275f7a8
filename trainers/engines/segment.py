"""The way of runs through the epochs of their segment, the same for both engines.

Shapes: K runs of a team.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Protocol, Self, TypeVar

from trainers.engines.looking.canary import SHARE, Canary
from trainers.engines.session import Session
from trainers.engines.test_splits import Result, judged_on
from trainers.errors import TaskMismatch
from trainers.evaluation import Value, first_not_finite, refuse_unjudged, storable
from trainers.events import (
    CheckpointSkipped,
    CheckpointWritten,
    EndedAs,
    EpochDone,
    Event,
    NetworksKept,
    RunEnded,
    Seconds,
)
from trainers.failures import as_failure
from trainers.gradients import PairStatistics
from trainers.jobs import Checkpoint, Job, Pack
from trainers.keeping import checkpoints, paths
from trainers.keeping.checkpoints import State
from trainers.keeping.networks import KeptNetworks, NetworkCopy
from trainers.resources import peak_memory_bytes
from trainers.run_ends import (
    diverged,
    ended,
    failed,
    first_epoch,
    not_saved,
    reached,
)


class OpenedRun(Protocol):
    """A run that is ready to be trained."""

    @property
    def job(self) -> Job:
        """What it is."""

    @property
    def epoch(self) -> int:
        """Epochs it has done."""

    @property
    def candidates(self) -> Sequence[State]:
        """Networks that its checkpoint has held for it, see `trainers.keeping.networks`."""


class Team(Protocol):
    """Runs that stand at the same epoch and share its batches.

    All lists are of K entries, one for each of `jobs`.
    """

    @property
    def jobs(self) -> Sequence[Job]:
        """The runs."""

    @property
    def epoch(self) -> int:
        """Epochs they have done."""

    @property
    def flops(self) -> Sequence[float]:
        """Estimated operations of an epoch."""

    @property
    def grad_evals(self) -> Sequence[int]:
        """Gradients through the trunk in a step."""

    def trace(self, runs: Container[int]) -> None:
        """Note the losses of these runs in each step from now on."""

    def traced(self) -> Mapping[int, list[list[float]]]:
        """What was noted, steps by tasks by run; then no more is."""

    def train_epoch(self) -> tuple[Sequence[Result], int]:
        """Train one epoch; returns the train values and the number of steps."""

    def conflicts(self) -> tuple[Sequence[tuple[PairStatistics, ...]], float]:
        """How alike gradients were in the epoch, if asked; and the seconds this took for all."""

    def evaluate(self, split: str) -> Sequence[Result]:
        """Losses and metrics on one split."""

    def states(self) -> Sequence[State]:
        """What to go on from."""

    def networks(self, runs: Container[int]) -> Mapping[int, NetworkCopy]:
        """Copies of the networks of these runs as they are now, on the CPU."""

    def kept(self, runs: Container[int]) -> Self:
        """The team of those runs only, which go on as if the others had never been there."""


Run = TypeVar("Run", bound=OpenedRun)


class Teams(Protocol[Run]):
    """How an engine opens runs and puts them together."""

    def opened(self, job: Job, skip: Callable[[CheckpointSkipped], None]) -> Run:
        """A run, from the newest checkpoint that can be used; `skip` is told of the others."""

    def together(self, runs: Sequence[Run]) -> Team:
        """The team of runs that stand at the same epoch."""


class Segment:
    """Trains runs together up to the end of their segment."""

    def __init__(self, jobs: Sequence[Job], pack: Pack, session: Session) -> None:
        self._jobs, self._pack, self._session = jobs, pack, session
        self._places = {job.run: place for place, job in enumerate(jobs)}
        self._clock, self._networks = Clock(session), KeptNetworks(pack)
        self._n_samples = pack.training.samples_of(session.sources["train"].size)

    def events(self, teams: Teams[Run]) -> Iterator[Event]:
        """Train, and tell all runs' events of an epoch together, in the order of the jobs."""
        skipped: list[CheckpointSkipped] = []
        opened: dict[int, list[Run]] = {}
        for job in self._jobs:
            try:
                run = teams.opened(job, skipped.append)
            except BaseException as error:
                seconds, device = Seconds(startup_s=self._clock.lap()), self._session.device
                failure = as_failure(error)
                yield failed(job, failure, epoch=first_epoch(job), seconds=seconds, device=device)
            else:
                opened.setdefault(run.epoch, []).append(run)
                self._networks.begin(job, run.candidates)
        yield from skipped
        # A run that fell back to an older checkpoint cannot share batches with the others.
        for epoch in sorted(opened):
            if self._session.stop_requested():
                for run in opened[epoch]:
                    yield ended(run.job, "released", epoch=epoch)
            else:
                yield from self._trained(teams.together(opened.pop(epoch)))

    def _trained(self, team: Team) -> Iterator[Event]:
        """Train runs that stand at the same epoch."""
        pack = self._pack
        flops = {job.run: n for job, n in zip(team.jobs, team.flops, strict=True)}
        before, saving = Seconds(startup_s=self._share(team)), checkpoints.Timer(pack)
        while team.epoch < pack.until_epoch:
            watching = team.epoch == 0 and pack.canaries and self._session.group is None
            if watching:
                team.trace(pack.canaries)
            events = self._epoch(team, before, flops)
            yield from events
            before = Seconds()
            if watching:
                self._watch(team, events)
                before = Seconds(diagnostics_s=self._share(team))
            done = [event for event in events if isinstance(event, EpochDone)]
            if not done:
                return
            if len(done) < len(team.jobs):
                team = team.kept({event.run for event in done})
            if self._networks.look(done, team.networks):
                before = replace(before, checkpoint_s=self._share(team))
            stopping = self._session.stop_requested() and team.epoch < pack.until_epoch
            folder = saving.folder(team.epoch, stopping=stopping)
            if folder is not None and not self._pack.unsaved:
                yield from self._saved(team, folder)
                saving.saved()
            if stopping:
                yield from self._ended(team, "released", before)
                return
        yield from self._ended(team, reached(team.epoch, pack), before)

    def _watch(self, team: Team, events: Sequence[EpochDone | RunEnded]) -> None:
        """Train the canaries again alone, for a hundredth of the time of their searches.

        Raises:
            ReplayDiffers: One comes out otherwise.
        """
        traced, jobs = team.traced(), {job.run: job for job in team.jobs}
        done = {event.run: event for event in events if isinstance(event, EpochDone)}
        pack_s = sum(event.seconds.device_s - event.seconds.startup_s for event in done.values())
        pack_s *= self._pack.training.epochs
        for run in traced.keys() & done.keys():
            values = [value for value in done[run].values if value[0] == "validation"]
            canary = Canary(jobs[run], traced[run], values)
            budget_s = SHARE * pack_s * self._pack.canaries[run] / len(traced)
            canary.check(self._pack, self._session, budget_s=budget_s)

    def _epoch(
        self, team: Team, before: Seconds, flops: Mapping[int, float]
    ) -> list[EpochDone | RunEnded]:
        """Train and evaluate one epoch; its time is shared equally.

        Args:
            before: A run's part of what was done since the epoch before.
        """
        trained, n_steps = team.train_epoch()
        compared, compared_s = team.conflicts()
        conflicts = {job.run: of for job, of in zip(team.jobs, compared, strict=True)}
        compared_s *= self._session.n_devices / len(compared)
        train_s = self._share(team) - compared_s
        validated = team.evaluate("validation")
        validation_s = self._share(team)
        splits = self._test_splits(team)
        tested = judged_on(splits, team.evaluate)
        compared_s += before.diagnostics_s
        seconds = replace(before, train_s=train_s, validation_s=validation_s)
        seconds = replace(seconds, test_s=self._share(team), diagnostics_s=compared_s)
        results = zip(trained, validated, tested, strict=True)
        events = [
            self._event(
                job,
                of_run,
                team.epoch,
                seconds=seconds,
                grad_evals=n_steps * of_step,
                flops=flops[job.run] + self._session.judging_flops(job.tasks, splits[1:]),
            )
            for job, of_step, of_run in zip(team.jobs, team.grad_evals, results, strict=True)
        ]
        events.sort(key=lambda event: self._places[event.run])
        whole = team.epoch >= self._pack.training.epochs  # no checkpoint comes before the end
        return [
            replace(event, more=whole or place < len(events), conflicts=conflicts[event.run])
            if isinstance(event, EpochDone)
            else event
            for place, event in enumerate(events, start=1)
        ]

    def _test_splits(self, team: Team) -> Sequence[str]:
        over = team.epoch >= self._pack.training.epochs
        return ("test", *(self._session.judged_last if over else ()))

    def _event(
        self,
        job: Job,
        results: Sequence[Result],
        epoch: int,
        *,
        seconds: Seconds,
        grad_evals: int,
        flops: float,
    ) -> EpochDone | RunEnded:
        """What came of a run's epoch, from its results on the three splits."""
        device, values = self._session.device, list[list[Value]]()
        for result in results:
            if isinstance(result, Exception):
                return failed(job, result, epoch=epoch - 1, seconds=seconds, device=device)
            values.append(result)
        trained, validated, tested = values
        try:
            refuse_unjudged(job.tasks, validated)
        except TaskMismatch as error:
            return failed(job, error, epoch=epoch - 1, seconds=seconds, device=device)
        cost = {
            "samples": self._n_samples,
            "grad_evals": grad_evals,
            "flops": flops,
        }
        if what := first_not_finite(trained + validated):
            return diverged(job, what, epoch=epoch, seconds=seconds, device=device, **cost)
        return EpochDone(
            run=job.run,
            token=job.token,
            epoch=epoch,
            values=(*trained, *validated, *storable(tested, validated)),
            seconds=seconds,
            samples=self._n_samples,
            grad_evals=grad_evals,
            flops=flops,
        )

    def _saved(self, team: Team, folder: str) -> Iterator[CheckpointWritten | CheckpointSkipped]:
        """Write one file for all runs, named by the first of them."""
        jobs = self._in_order(team)
        kind = "pack-run" if len(jobs) > 1 else "run"
        name = f"{kind}{jobs[0].run}-token{jobs[0].token}-epoch{team.epoch}.pt"
        place = paths.inside(folder, name)
        states = {
            job.run: {**state, **self._networks.state(job.run)}
            for job, state in zip(team.jobs, team.states(), strict=True)
        }
        try:
            size = checkpoints.save_runs(states, place)
        except OSError as error:
            yield not_saved(jobs[0], folder, error)
            return
        seconds = Seconds(checkpoint_s=self._share(team))
        for job in jobs:
            yield CheckpointWritten(
                run=job.run,
                token=job.token,
                checkpoint=Checkpoint(path=place, epoch=team.epoch),
                size_bytes=size,
                seconds=seconds,
            )

    def _ended(
        self, team: Team, outcome: EndedAs, before: Seconds
    ) -> Iterator[NetworksKept | RunEnded]:
        seconds = replace(before, diagnostics_s=before.diagnostics_s + self._share(team))
        if outcome == "done":
            kept = [found for job in self._in_order(team) if (found := self._networks.written(job))]
            each = Seconds(checkpoint_s=self._share(team))
            yield from (replace(found, seconds=each) for found in kept)
        peak = peak_memory_bytes(self._session.device)
        for n_left, job in zip(range(len(team.jobs))[::-1], self._in_order(team), strict=True):
            yield ended(
                job,
                outcome,
                epoch=team.epoch,
                seconds=seconds,
                peak_memory_bytes=peak,
                more=n_left > 0,
            )

    def _in_order(self, team: Team) -> list[Job]:
        return sorted(team.jobs, key=lambda job: self._places[job.run])

    def _share(self, team: Team) -> float:
        """The time since the last lap, shared by the runs of the team."""
        return self._clock.lap() / len(team.jobs)


class Clock:
    """Time between laps, of all devices together: asynchronous devices are waited for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last = perf_counter()

    def lap(self) -> float:
        """Device-seconds since the last lap, or since the start."""
        self._session.synchronize()
        now = perf_counter()
        elapsed, self._last = now - self._last, now
        return elapsed * self._session.n_devices
