"""Packs of toy runs, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch

from tests.toy import TASKS, Toy
from trainers.engines import Session, open_session
from trainers.events import CheckpointSkipped, CheckpointWritten, EpochDone, Event, RunEnded
from trainers.jobs import Job, Pack, ProblemRef, Training
from trainers.weightings import names, weighting

Engine = Callable[[Pack, Session], Iterator[Event]]
Values = dict[tuple[str, str, str], float]

OF_LOSSES = tuple(name for name in names() if weighting(name).level == "loss")
"""Weightings that every engine trains."""
OF_EACH_KIND = ("rlw", "uw", "dwa")
"""One that draws its weights, one that learns them, and one that keeps a state between epochs."""
EPOCHS = 3
STEPS = 2
"""Steps an epoch of `a_pack`."""


def hyper_for(name: str, number: int = 0) -> dict[str, float | Sequence[float]]:
    """Valid hyperparameters for three tasks; other ones for each `number`."""
    chosen: dict[str, float | Sequence[float]] = {}
    for hyper in weighting(name).hypers:
        if hyper.per_task:
            chosen[hyper.name] = (0.25, 0.25, 0.5) if number == 0 else (0.5, 0.5, 0.0)
        elif not hyper.choices:
            chosen[hyper.name] = 1.0 + number if hyper.high > 2.0 else hyper.high / (2.0 + number)
    return chosen


def a_job(run: int = 1, name: str = "ew", **changes: Any) -> Job:
    job = Job(
        run=run,
        token=3,
        weighting=name,
        tasks=TASKS,
        lr=0.05,
        hyper=hyper_for(name),
        address=f"job {run}",
    )
    return replace(job, **changes)


def two_jobs(name: str) -> tuple[Job, Job]:
    """Two runs that differ in all that may differ within a pack."""
    second = a_job(2, name, lr=0.02, weight_decay=0.1, hyper=hyper_for(name, 1))
    return a_job(1, name, weight_decay=0.01), second


def runs_of_all() -> dict[int, Job]:
    """Two runs of a weighting of each kind and one of all others, by the run's number."""
    jobs = [job for name in OF_LOSSES for job in two_jobs(name)[: 1 + (name in OF_EACH_KIND)]]
    return {
        run: replace(job, run=run, address=f"job {run}") for run, job in enumerate(jobs, start=1)
    }


def a_pack(
    *jobs: Job,
    seed: int = 7,
    until_epoch: int | None = None,
    checkpoints: object = None,
    checkpoint_s: float = 1e9,
    **training: Any,
) -> Pack:
    chosen = Training(**{"epochs": EPOCHS, "batch_size": 6, **training})
    return Pack(
        problem=ProblemRef(target="toy:Toy"),
        training=chosen,
        seed=seed,
        until_epoch=chosen.epochs if until_epoch is None else until_epoch,
        jobs=jobs,
        checkpoints=None if checkpoints is None else str(checkpoints),
        checkpoint_s=checkpoint_s,
    )


def a_session(problem: Toy | None = None, stop: Callable[[], bool] = lambda: False) -> Session:
    """A fresh session, but for what one of an equal problem has counted, for whoever."""
    of = problem or Toy()
    session = open_session(of, "cpu", stop)
    try:
        return replace(session, **_counted(of, torch.get_default_dtype()))
    except TypeError:  # it takes notes, of what is counted, too
        return session


@cache
def _counted(_problem: Toy, _dtype: torch.dtype) -> dict[str, dict[Any, Any]]:
    return {"flops": {}, "padding_rows": {}}


@dataclass(frozen=True)
class Told:
    """All that was said of one run."""

    events: list[Event]

    @property
    def end(self) -> RunEnded:
        (end,) = [event for event in self.events if isinstance(event, RunEnded)]
        return end

    @property
    def checkpoints(self) -> list[CheckpointWritten]:
        return [event for event in self.events if isinstance(event, CheckpointWritten)]

    @property
    def skipped(self) -> list[CheckpointSkipped]:
        return [event for event in self.events if isinstance(event, CheckpointSkipped)]

    @property
    def epochs(self) -> dict[int, Values]:
        """Epoch to its values, ``(split, task, metric)`` to number."""
        return {
            event.epoch: {
                (split, task, metric): value for split, task, metric, value in event.values
            }
            for event in self.events
            if isinstance(event, EpochDone)
        }

    def curve(self, split: str, task: str, metric: str) -> list[float]:
        return [values[split, task, metric] for values in self.epochs.values()]


def told(events: Iterable[Event]) -> dict[int, Told]:
    """Events sorted by run."""
    runs: dict[int, list[Event]] = {}
    for event in events:
        runs.setdefault(event.run, []).append(event)
    return {run: Told(of_run) for run, of_run in runs.items()}
