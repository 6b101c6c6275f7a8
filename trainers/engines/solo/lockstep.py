"""Runs of the solo engine in step: each batch is made once and goes to every run."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from trainers.engines import one_epoch
from trainers.engines.session import Session
from trainers.engines.solo.run import SoloRun
from trainers.engines.stepping import grad_evals
from trainers.evaluation import Value
from trainers.failures import as_failure
from trainers.gradients import PairStatistics
from trainers.jobs import Job, Training
from trainers.keeping.checkpoints import State
from trainers.keeping.networks import NetworkCopy, copied
from trainers.protocol import Batch
from trainers.randomness import GeneratorStates, Key, global_state, set_global_state
from trainers.reading import owned

T = TypeVar("T")


@dataclass(slots=True)
class _Lane:
    """One run among others.

    Attributes:
        draws: Where the global generators stand for it.
        error: What ended it.
    """

    run: SoloRun
    draws: GeneratorStates
    error: Exception | None = None


class Lockstep:
    """Runs that stand at the same epoch, between two epochs.

    Each comes out as if it were trained alone: it draws the dropout that it would draw then. An
    exception in a run ends that run, one in the data ends all.

    Args:
        runs: At least one.
    """

    def __init__(self, runs: Sequence[SoloRun], session: Session, training: Training) -> None:
        self._session, self._training = session, training
        self._lanes = [_Lane(run, global_state(session.device)) for run in runs]
        self.epoch = runs[0].epoch

    @property
    def jobs(self) -> Sequence[Job]:
        """The runs."""
        return [lane.run.job for lane in self._lanes]

    @property
    def n_parameters(self) -> int:
        """Of the networks of all runs."""
        networks = (lane.run.network for lane in self._lanes)
        return sum(p.numel() for network in networks for p in network.parameters())

    @property
    def flops(self) -> Sequence[float]:
        """Estimated operations of an epoch of each run."""
        runs = [lane.run for lane in self._lanes]
        return [
            self._session.epoch_flops(run.job.tasks, self._training, run.weighting) for run in runs
        ]

    @property
    def grad_evals(self) -> Sequence[int]:
        """Gradients through the trunk in a step of each run; none go through a frozen one."""
        if self._session.trunk_frozen:
            return [0] * len(self._lanes)
        return [
            grad_evals(lane.run.weighting, self._training, len(lane.run.job.tasks))
            for lane in self._lanes
        ]

    def trace(self, runs: Container[int]) -> None:
        """Note the losses of these runs in each step from now on."""
        for lane in self._lanes:
            lane.run.traced = [] if lane.run.job.run in runs else None

    def traced(self) -> dict[int, list[list[float]]]:
        """What was noted, ``[N, T]`` by run; then no more is."""
        noted = {lane.run.job.run: lane.run.traced for lane in self._lanes}
        self.trace(())
        return {
            run: [losses.tolist() for losses in steps]
            for run, steps in noted.items()
            if steps is not None
        }

    def train_epoch(self) -> tuple[list[list[Value] | Exception], int]:
        """Train one epoch; returns each run's train values and the number of steps."""
        self.epoch += 1
        n_steps = one_epoch.n_steps(self._session, self._training)
        self._each(SoloRun.begin_epoch, n_steps)
        key, tasks = self._lanes[0].run.key, self._lanes[0].run.job.tasks
        batches = one_epoch.batches(self._session, self._training, key, self.epoch, tasks)
        for lane in self._lanes:
            lane.draws = global_state(self._session.device)  # just seeded
        self._give(batches, SoloRun.train_on)
        return self._each(SoloRun.end_epoch), n_steps

    def conflicts(self) -> tuple[list[tuple[PairStatistics, ...]], float]:
        """How alike gradients were in the epoch, if asked; and the seconds this took for all."""
        meters = [None if lane.error is not None else lane.run.conflicts for lane in self._lanes]
        found = [() if meter is None else meter.statistics(1)[0] for meter in meters]
        return found, sum(meter.seconds for meter in meters if meter is not None)

    def evaluate(self, split: str) -> list[list[Value] | Exception]:
        """Losses and metrics of each run on one split."""
        self._each(SoloRun.begin_split)
        source, size = self._session.sources[split], self._training.eval_batch_size
        self._give(source.batches(None, size, Key("evaluation")), SoloRun.judge_on)
        return self._each(SoloRun.end_split, split)

    def states(self) -> list[State]:
        """What each run goes on from."""
        return [lane.run.state_dict() for lane in self._lanes]

    def networks(self, runs: Container[int]) -> dict[int, NetworkCopy]:
        """Copies of the networks of these runs as they are now, on the CPU."""
        mine = [lane.run for lane in self._lanes if lane.run.job.run in runs]
        return {run.job.run: partial(dict, copied(run.network_state())) for run in mine}

    def kept(self, runs: Container[int]) -> Lockstep:
        """Those runs only, which go on as if the others had never been there."""
        kept = [lane.run for lane in self._lanes if lane.run.job.run in runs]
        return Lockstep(kept, self._session, self._training)

    def _give(self, batches: Iterator[Batch], work: Callable[[SoloRun, Batch], None]) -> None:
        """Give each batch to every run, as long as there are any."""
        alone = len(self._lanes) == 1
        try:
            for batch in batches:
                found = [
                    self._one(lane, work, batch if alone else owned(batch)) for lane in self._lanes
                ]
                if all(isinstance(of_run, Exception) for of_run in found):
                    return
        finally:
            # an exception of a run, which is kept, has this frame below its own
            if isinstance(batches, Generator):
                batches.close()

    def _each(self, work: Callable[..., T], *args: object) -> list[T | Exception]:
        """Let each run that has not failed do something; returns what came of it."""
        return [self._one(lane, work, *args) for lane in self._lanes]

    def _one(self, lane: _Lane, work: Callable[..., T], *args: object) -> T | Exception:
        if lane.error is not None:
            return lane.error
        alone = len(self._lanes) == 1
        if not alone:
            set_global_state(lane.draws, self._session.device)
        try:
            return work(lane.run, *args)
        except BaseException as raised:
            error = as_failure(raised)
            traceback.clear_frames(error.__traceback__)  # they hold tensors
            lane.error = error
            return error
        finally:
            if not alone:
                lane.draws = global_state(self._session.device)
