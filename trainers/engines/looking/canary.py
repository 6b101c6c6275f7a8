"""The canary of a search: one run of its first pack, trained again alone for its first epoch.

The look before a study sees a few samples and steps. This sees the run itself, for a hundredth of
the time that its search will take.

Shapes: T tasks, N steps.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter

from trainers.engines import one_epoch
from trainers.engines.looking.comparing import AMPLIFIED
from trainers.engines.looking.rehearsal import NUDGES, TOLERANCES, nudge
from trainers.engines.session import Session
from trainers.engines.solo.engine import begun
from trainers.engines.solo.run import SoloRun
from trainers.errors import ReplayDiffers
from trainers.evaluation import Value
from trainers.jobs import Job, Pack
from trainers.protocol import Batch
from trainers.randomness import Key

SHARE = 0.01
"""Most that canaries may take of the time of their search."""
_COARSE = 10.0  # an epoch's rounding, against that of one step

Losses = list[list[float]]
"""Of each step, ``[N, T]``; behind the last step of an epoch, those on the validation data."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A run as it was trained in its pack.

    Attributes:
        losses: Of the steps of its first epoch, ``[N, T]``.
        validated: Its values on the validation data after it.
    """

    job: Job
    losses: Losses
    validated: Sequence[Value]

    def check(self, pack: Pack, session: Session, *, budget_s: float) -> int:
        """Train the run again alone, as far as the time allows; returns the steps compared.

        Args:
            budget_s: Most time to take. Half of it is kept to tell rounding from a fault.

        Raises:
            ReplayDiffers: It comes out otherwise, by more than rounding.
        """
        found = [*self.losses, [v for _, _, metric, v in self.validated if metric == "loss"]]
        alone = self._replayed(pack, session, budget_s=budget_s / 2)
        place = _first_apart(found, alone, TOLERANCES[pack.training.precision])
        if place is None:
            return len(alone)
        nudged = alone
        if pack.engine == "fused" or session.device.type != "cpu":  # else not a bit may differ
            by = NUDGES[pack.training.precision]
            nudged = self._replayed(pack, session, most=place + 1, by=by)
        for column, task in enumerate(self.job.tasks):
            here, there = found[place][column], alone[place][column]
            pairs = zip(nudged, alone, strict=False)
            blown_up = max(_distance(one[column], other[column]) for one, other in pairs)
            if _distance(here, there) > TOLERANCES[pack.training.precision] + AMPLIFIED * blown_up:
                raise ReplayDiffers(self._said(pack, task, place, here, there))
        return place

    def _said(self, pack: Pack, task: str, place: int, here: float, there: float) -> str:
        where = f"in step {place + 1} of epoch 1"
        if place >= len(self.losses):
            where = "on the validation data after epoch 1"
        way_out = (
            'In a study of another name, set [training] `engine = "solo"`'
            if pack.engine == "fused"
            else "What a network, a loss or the data keeps must not outlive a run: build it anew"
        )
        return (
            "A run must come out the same in its pack and when it is trained again alone. Run "
            f"{self.job.run} did not: {where} the loss of task {task} was {here:.6g} in the pack, "
            f"and {there:.6g} alone. {way_out}. `weighbridge problem check` tells more."
        )

    def _replayed(
        self,
        pack: Pack,
        session: Session,
        *,
        budget_s: float | None = None,
        most: int | None = None,
        by: float = 0.0,
    ) -> Losses:
        """Losses of the run alone, until the time is over or `most` steps are done."""
        ends_s = None if budget_s is None else perf_counter() + budget_s
        training = replace(pack.training, compile=False, data_parallel=1)
        job = replace(self.job, resume=())
        run = begun(job, replace(pack, jobs=(job,), training=training, gradients=None), session)
        if by:
            nudge(run, by)
        run.traced = []
        n_steps = one_epoch.n_steps(session, training)
        run.begin_epoch(n_steps)
        with _ended(one_epoch.batches(session, training, run.key, 1, job.tasks)) as batches:
            for batch in batches:
                if _over(ends_s) or len(run.traced) == most:
                    break
                run.train_on(batch)
        found: Losses = [losses.tolist() for losses in run.traced]
        if len(found) == n_steps and not _over(ends_s) and len(found) != most:
            run.end_epoch()
            found.append(self._validated(run, session))
        return found

    def _validated(self, run: SoloRun, session: Session) -> list[float]:
        run.begin_split()
        size = run.training.eval_batch_size
        source = session.sources["validation"]
        with _ended(source.batches(None, size, Key("evaluation"))) as batches:
            for batch in batches:
                run.judge_on(batch)
        values = run.end_split("validation")
        return [value for _, _, metric, value in values if metric == "loss"]


@contextmanager
def _ended(batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """Batches that are not made any more afterwards."""
    try:
        yield batches
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _over(ends_s: float | None) -> bool:
    return ends_s is not None and perf_counter() >= ends_s


def _first_apart(found: Losses, alone: Losses, tolerance: float) -> int | None:
    """The first place where a loss differs; none behind a loss that is not finite."""
    for place, (here, there) in enumerate(zip(found, alone, strict=False)):
        if not all(map(isfinite, (*here, *there))):
            return place if list(map(isfinite, here)) != list(map(isfinite, there)) else None
        allowed = tolerance * (_COARSE if place else 1.0)
        if any(_distance(*pair) > allowed for pair in zip(here, there, strict=True)):
            return place
    return None


def _distance(one: float, other: float) -> float:
    """Relative to the larger of two losses, or to a small one."""
    if not (isfinite(one) and isfinite(other)):
        return 0.0 if isfinite(one) == isfinite(other) else float("inf")
    return abs(one - other) / max(abs(one), abs(other), 1e-3)
