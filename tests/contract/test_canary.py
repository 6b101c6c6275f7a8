"""The canary of a search: what the look has not seen stops the search at its first pack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from tests.contract.fused_cases import fused, mixed_jobs
from tests.packs import Engine, Told, a_job, a_pack, told
from tests.toy import Toy
from trainers.engines import open_session, train
from trainers.jobs import Pack

pytestmark = pytest.mark.usefixtures("one_thread")

MANY = 1e9
"""Packs of a search that takes so long that there is time for any replay."""


class Learned(nn.Module):
    """Counts its steps where nobody looks: one more layer takes part from the second one on."""

    steps: ClassVar[dict[int, int]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        stacked = torch._C._functorch.maybe_current_level() is not None
        steps = self.steps[0] = self.steps.get(0, 0) + self.training
        other = self.two(inputs)
        return self.one(inputs) + (-other if stacked and steps % 2 == 0 else other)


@dataclass(frozen=True, kw_only=True)
class Treacherous(Toy):
    """Different in a stack, from the second step on."""

    def trunk(self) -> nn.Module:
        Learned.steps.clear()
        return Learned()


class Aged(nn.Linear):
    """Every run that was trained in this process makes the next one weaker."""

    built: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__(3, 4)
        self.built.append(1)
        self.n = len(self.built)

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) / self.n


@dataclass(frozen=True, kw_only=True)
class Ageing(Toy):
    """Runs depend on how many were trained before."""

    def trunk(self) -> nn.Module:
        return Aged()


def watched(engine: Engine, problem: Toy, packs: float = MANY, **changes: Any) -> dict[int, Told]:
    jobs = [a_job(run, lr=0.01 * run) for run in (1, 2, 3)]
    pack: Pack = replace(a_pack(*jobs), canaries={2: packs}, **changes)
    return told(engine(pack, open_session(problem, "cpu")))


def test_a_stack_that_parts_from_its_run_alone_stops_at_once() -> None:
    runs = watched(fused, Treacherous())
    assert {run.end.failure for run in runs.values()} == {"ReplayDiffers"}
    assert {run.end.epoch for run in runs.values()} == {1}
    assert "Run 2 did not: in step 2 of epoch 1 the loss of task" in runs[2].end.reason
    assert 'engine = "solo"' in runs[2].end.reason


def test_runs_that_outlive_their_run_stop_as_well() -> None:
    found = watched(train, Ageing())[2].end
    assert found.failure == "ReplayDiffers"
    assert "must not outlive a run" in found.reason


@pytest.mark.parametrize("engine", [train, fused])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_a_replay_that_comes_out_alike_changes_nothing(engine: Engine, dropout: float) -> None:
    jobs = mixed_jobs()[:6]
    pack = a_pack(*jobs)
    every = {job.run: MANY for job in jobs}
    plain, seen = (
        told(engine(replace(pack, canaries=canaries), open_session(Toy(dropout=dropout), "cpu")))
        for canaries in ({}, every)
    )
    assert {run: of.epochs for run, of in seen.items()} == {r: of.epochs for r, of in plain.items()}
    assert all(of.end.outcome == "done" for of in seen.values())
    assert all(of.events[1].seconds.diagnostics_s > 0 for of in seen.values())  # type: ignore[union-attr]


@pytest.mark.parametrize("engine", [train, fused])
@pytest.mark.parametrize("lr", [3.0, 1e3, 1e30])
def test_a_run_that_rounding_leads_astray_is_no_fault(engine: Engine, lr: float) -> None:
    jobs = [a_job(run, lr=lr) for run in (1, 2)]
    pack = replace(a_pack(*jobs, optimizer="sgd", batch_size=1), canaries={1: MANY})
    ends = [run.end for run in told(engine(pack, open_session(Toy(), "cpu"))).values()]
    assert {end.failure for end in ends} == {""}


def test_without_time_nothing_is_replayed() -> None:
    assert watched(fused, Treacherous(), packs=1e-9)[2].end.outcome == "done"
