"""The solo engine with several processes a run: one leads, the others follow.

The leader trains as if it were alone, and says so at each beginning of a run or of an epoch. It
evaluates by itself, and is the only one to read and write checkpoints and to report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from torch import Tensor, device
from torch.utils._pytree import tree_map_only

from trainers.engines import one_epoch
from trainers.engines.session import Session
from trainers.engines.solo.engine import Solos, fitting
from trainers.engines.solo.group import GroupBroken, RunGroup
from trainers.engines.solo.lockstep import Lockstep
from trainers.engines.solo.parallel_run import ParallelRun, refuse_unshared
from trainers.engines.solo.run import SoloRun
from trainers.evaluation import Value
from trainers.events import CheckpointSkipped
from trainers.failures import told
from trainers.jobs import Job, Pack
from trainers.keeping.checkpoints import State

__all__ = ["Parallels", "follow", "refuse_unshared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Leader to followers: take part in this run.

    Attributes:
        state: Where it goes on; None if it begins.
    """

    job: Job
    pack: Pack
    state: State | None


@dataclass(frozen=True, slots=True)
class TrainEpoch:
    """Leader to followers: train one epoch of the run."""


class Parallels(Solos):
    """Makes runs that the whole group takes part in; each is a team of its own."""

    def __init__(self, pack: Pack, session: Session, group: RunGroup) -> None:
        super().__init__(pack, session)
        self._group = group

    def opened(self, job: Job, skip: Callable[[CheckpointSkipped], None]) -> SoloRun:
        """A run, from the newest checkpoint that can be used; `skip` is told of the others."""
        run = super().opened(job, skip)
        assert isinstance(run, ParallelRun)
        state = _moved(run.state_dict(), device("cpu")) if run.epoch else None
        with _together():
            self._group.say(Begin(job=job, pack=self._pack, state=state))
            run.join(self._group)
        return run

    def together(self, runs: Sequence[SoloRun]) -> Lockstep:
        """The team of one run, which the others follow."""
        return _Led(runs, self._session, self._pack.training)

    def _begun(self, job: Job) -> SoloRun:
        fitting(job, self._pack)
        return ParallelRun(job, self._pack, self._session)


class _Led(Lockstep):
    """One run, which leads the others through its epochs."""

    def train_epoch(self) -> tuple[list[list[Value] | Exception], int]:
        """Train one epoch with the others; returns the run's train values and the steps."""
        (lane,) = self._lanes
        run = lane.run
        assert isinstance(run, ParallelRun)
        self.epoch += 1
        with _together():
            run.group.say(TrainEpoch())
            found = run.train_epoch()
        lane.error = found if isinstance(found, Exception) else None
        return [found], one_epoch.n_steps(self._session, self._training)


def follow(session: Session, group: RunGroup) -> NoReturn:
    """Do what the leader says, until the process ends."""
    run: ParallelRun | None = None
    while True:
        command = group.hear()
        if isinstance(command, Begin):
            run = None  # gives its memory back first
            run = _begun(command, session, group)
        elif run is not None:
            run.train_epoch()


def _begun(command: Begin, session: Session, group: RunGroup) -> ParallelRun:
    run = ParallelRun(command.job, command.pack, session)
    if command.state is not None:
        run.restore(_moved(command.state, session.device))
    run.join(group)
    return run


def _moved(state: State, where: device) -> State:
    found: dict[str, Any] = tree_map_only(Tensor, lambda tensor: tensor.to(where), state)
    return found


@contextmanager
def _together() -> Iterator[None]:
    """Surrounds what the others take part in; an exception here leaves them waiting.

    Raises:
        GroupBroken: In the place of any exception.
    """
    try:
        yield
    except BaseException as error:
        raise GroupBroken(told(error)) from error
