"""What an epoch of each of several runs takes alone: all are timed in turn, again and again.

What slows the machine for a while then hits all of them alike, so that their ratios stand.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, process_time

from trainers.engines.pace import Pace, Shortened, paced, whole_epoch_s
from trainers.engines.session import Session
from trainers.engines.solo.engine import begun
from trainers.engines.solo.lockstep import Lockstep
from trainers.events import StepsTimed
from trainers.hardware.gpu import end_if_broken
from trainers.jobs import Job, Pack, TimeSteps

_REPEATS = 1  # sweeps repeat
_SMALL = 1_000_000
"""Parameters of a run that is kept for the next sweep; of larger ones one is held at a time."""
_SHORT_S = 0.1
"""What a pass of such a run takes at most."""


def time_steps(
    wanted: TimeSteps,
    session: Session,
    now: Callable[[], float] = perf_counter,
    clock: Callable[[], float] | None = None,
) -> StepsTimed:
    """Time a few steps of each run in the solo engine, and its validation, sweep after sweep.

    A run that raises is left out: it will meet its error when it is trained, and end with it. So is
    a sweep that the limit does not allow to be ended.

    Args:
        now: A clock in s, by which the limit counts.
        clock: A clock in s, by which the runs of a sweep are told apart; None: on a processor,
            where one thread computes on data in memory, the time that it computes, which other
            programs do not lengthen; else `now`. What a sweep takes in all is by `now`.
    """
    began_s = now()
    computes = session.device.type == "cpu" and wanted.training.threads == 1
    clock = clock or (process_time if computes and not session.streamed else now)
    timing = _Timing(wanted, session, now, clock)
    while len(timing.sweeps) < wanted.sweeps and timing.sweep():
        pass
    sweeps = tuple(
        {run: s for run, s in sweep.items() if run not in timing.failed} for sweep in timing.sweeps
    )
    return StepsTimed(sweeps=sweeps, seconds=(now() - began_s) * session.n_devices)


class _Timing:
    """Sweeps over runs, and what they have taken so far.

    Attributes:
        failed: Runs that have raised.
        sweeps: Run -> s of an epoch, of each whole sweep.
    """

    def __init__(
        self,
        wanted: TimeSteps,
        session: Session,
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._wanted, self._session, self._now, self._clock = wanted, session, now, clock
        self._end_s = now() + wanted.limit_s
        self._longest_s = 0.0
        self.failed = set[int]()
        self.sweeps: list[dict[int, float]] = []
        self._kept: dict[int, tuple[Lockstep, Shortened]] = {}

    def sweep(self) -> bool:
        """Time each run once; False if the limit did not allow it, or none is left."""
        found, judged = dict[int, float](), dict[tuple[str, ...], Pace]()
        began = self._now(), self._clock()
        for job in self._wanted.jobs:
            if job.run in self.failed:
                continue
            if not self._has(self._longest_s):
                return False
            began_s = self._now()
            try:
                found[job.run] = self._epoch_s(job, judged)
            except BaseException:  # a user's weighting may raise anything
                end_if_broken(self._session.device)
                self.failed.add(job.run)
            self._longest_s = max(self._longest_s, self._now() - began_s)
        whole_s, computed_s = self._now() - began[0], self._clock() - began[1]
        slower = whole_s / computed_s if computed_s > 0 else 1.0
        self.sweeps.append({run: slower * epoch_s for run, epoch_s in found.items()})
        return bool(found)

    def _has(self, seconds: float) -> bool:
        return self._now() + seconds <= self._end_s

    def _epoch_s(self, job: Job, judged: dict[tuple[str, ...], Pace]) -> float:
        """An epoch of a run.

        Args:
            judged: The pace of this sweep's validations by tasks: no weighting changes it.
        """
        training, kept = self._wanted.training, job.run in self._kept
        alone, short = self._kept[job.run] if kept else self._begun(job)
        trained = paced(alone, training, short, self._has, repeats=_REPEATS, warm=kept)
        if trained.whole_s <= _SHORT_S and alone.n_parameters <= _SMALL:
            self._kept[job.run] = alone, short
        if job.tasks not in judged:
            judged[job.tasks] = short.pace(
                lambda: alone.evaluate("validation"), "validation", training.eval_batch_size
            )
        return whole_epoch_s(trained, judged[job.tasks], self._session, training)

    def _begun(self, job: Job) -> tuple[Lockstep, Shortened]:
        training = self._wanted.training
        pack = Pack(
            problem=self._wanted.problem,
            training=training,
            seed=0,
            until_epoch=training.epochs,
            jobs=(job,),
        )
        short = Shortened(self._session, training, self._clock)
        return Lockstep([begun(job, pack, short.session)], short.session, training), short
