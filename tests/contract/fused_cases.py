"""Runs and problems for the fused engine: packs that mix all that may be mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tests.packs import OF_LOSSES, a_job, two_jobs
from tests.toy import TASKS, Toy
from trainers.engines import Session, train
from trainers.events import Event
from trainers.jobs import Job, Pack
from trainers.problems import MeanAbsoluteError
from trainers.protocol import TaskFunctions


def fused(pack: Pack, session: Session) -> Iterator[Event]:
    return train(replace(pack, engine="fused"), session)


def mixed_jobs() -> list[Job]:
    """All weightings with two settings each, and each task alone with two."""
    pairs = [two_jobs(name) for name in OF_LOSSES]
    pairs += [
        (a_job(1, tasks=(task,), lr=0.03), a_job(2, tasks=(task,), weight_decay=0.1))
        for task in TASKS
    ]
    jobs = [job for pair in pairs for job in pair]
    return [replace(job, run=run, address=f"job {run}") for run, job in enumerate(jobs, start=1)]


@dataclass(frozen=True, kw_only=True)
class Normed(Toy):
    """Batch normalisation before the usual trunk's end."""

    def trunk(self) -> nn.Module:
        # A bias before it would have gradient 0 up to rounding, which Adam blows up to full steps.
        return nn.Sequential(
            nn.Linear(3, 5, bias=False),
            nn.BatchNorm1d(5),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(5, 4),
        )


@dataclass(frozen=True, kw_only=True)
class Placed(Toy):
    """Operations that round differently in the remainder of a vectorised kernel."""

    def trunk(self) -> nn.Module:
        bent = (nn.Linear(3, 5), nn.SiLU(), nn.Linear(5, 5), nn.Softplus(), nn.Linear(5, 4))
        return nn.Sequential(*bent, nn.Sigmoid())


class Counted:
    """A mean absolute error that looks at single numbers, which `vmap` refuses."""

    def statistics(self, output: Tensor, target: Any) -> Tensor:
        total = sum((output.flatten() - target).abs().tolist())
        return torch.tensor([total, len(target)], dtype=torch.float64)

    def value(self, total: Tensor) -> float:
        return MeanAbsoluteError().value(total)


class Read(MeanAbsoluteError):
    """A mean absolute error that looks whether there is anything to be judged."""

    def statistics(self, output: Tensor, target: Any) -> Tensor:
        assert int(target.isfinite().sum().item()) == len(target)
        return super().statistics(output, target)


@dataclass(frozen=True, kw_only=True)
class OddlyJudged(Toy):
    """Metrics that look at single numbers, of outputs and of targets, beside another."""

    def functions(self, task: str) -> TaskFunctions:
        odd = {"level": Counted(), "flag": Read()}
        usual = super().functions(task)
        return replace(usual, metrics={"error": odd[task]}) if task in odd else usual


@dataclass(frozen=True, kw_only=True)
class Greedy(Toy):
    """A loss that asks for more memory than there is."""

    def functions(self, task: str) -> TaskFunctions:
        return replace(super().functions(task), loss=_too_much)


def _too_much(output: Tensor, target: Tensor) -> Tensor:
    raise MemoryError("no memory for this loss")
