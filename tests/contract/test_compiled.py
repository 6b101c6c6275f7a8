"""What `compile = true` promises. All cases share what is compiled: a few seconds for each kind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.contract.engine_repeating import by_epoch, resumed
from tests.contract.fused_cases import fused
from tests.packs import OF_LOSSES, Engine, Values, a_job, a_pack, told, two_jobs
from tests.toy import Toy
from tests.wanting import reason
from trainers.engines import Session, open_session, train
from trainers.engines.compiled.blocks import BLOCK
from trainers.engines.compiled.functions import options
from trainers.engines.precision import memory_format
from trainers.hardware import compiler
from trainers.jobs import Job

pytestmark = pytest.mark.slow

Runs = dict[int, dict[int, Values]]
CHOSEN = {"batch_size": 5, "compile": True}
"""The third batch of each epoch has two samples only."""

needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason=reason("g++"))


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    compiler.let_in()
    yield open_session(Bent(dropout=0.25), "cpu")
    torch.set_num_threads(before)


@dataclass(frozen=True, kw_only=True)
class Bent(Toy):
    """Normalisation, dropout, and a function whose last bits may depend on the place.

    Nothing besides, and two tasks: each part is a program or two for the C++ compiler.
    """

    def trunk(self) -> nn.Module:
        return nn.Sequential(
            nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.Sigmoid(), nn.Dropout(self.dropout)
        )


@needs_compiler
class TestCompiled:
    def test_a_run_has_the_same_bits_in_any_pack(self, session: Session, whole: Runs) -> None:
        for size in (1, 2, BLOCK, BLOCK + 1):
            some = many_jobs()[-size:]
            found = by_epoch(told(fused(a_pack(*reversed(some), **CHOSEN), session)))
            assert found == {job.run: whole[job.run] for job in some}

    def test_resuming_changes_no_bit(self, session: Session, whole: Runs, tmp_path: Path) -> None:
        pack = a_pack(*many_jobs()[3:6], checkpoints=tmp_path, **CHOSEN)
        half = told(fused(replace(pack, until_epoch=2), session))
        later = told(fused(resumed(pack, half), session))
        assert by_epoch(half, later) == {job.run: whole[job.run] for job in pack.jobs}

    @pytest.mark.parametrize("engine", [train, fused], ids=["solo", "fused"])
    def test_a_run_is_near_the_one_that_is_not_compiled(
        self, session: Session, engine: Engine
    ) -> None:
        pack = a_pack(*many_jobs()[:18:2], **CHOSEN)
        plain = replace(pack, training=replace(pack.training, compile=False))
        found, expected = (by_epoch(told(engine(each, session))) for each in (pack, plain))
        assert found.keys() == expected.keys()
        for run, epochs in expected.items():
            for epoch, values in epochs.items():
                assert found[run][epoch] == pytest.approx(values, rel=2e-4, abs=2e-4)

    def test_a_pack_of_several_blocks_is_among_them(self, whole: Runs) -> None:
        assert len(whole) > BLOCK

    def test_each_kind_of_network_is_compiled_once(self, session: Session) -> None:
        kinds = dict(session.compiled)
        for seed in (1, 2):
            pack = a_pack(*of_two_tasks("ew"), seed=seed, **CHOSEN)
            list(fused(pack, session))
            list(train(pack, session))
        assert all(session.compiled[kind] is function for kind, function in kinds.items())
        assert {kind[0] for kind in session.compiled} == {"solo", "stack"}
        assert len(session.compiled) == 2

    @pytest.mark.parametrize("engine", [train, fused], ids=["solo", "fused"])
    def test_a_loss_that_cannot_be_compiled_ends_its_run_with_the_way_out(
        self, engine: Engine
    ) -> None:
        job = a_job(1, tasks=("prints",))
        session = open_session(Toy(troubles=("prints",)), "cpu")
        (run,) = told(engine(a_pack(job, **CHOSEN), session)).values()
        assert (run.end.outcome, run.end.failure, run.end.epoch) == ("failed", "NotCompilable", 0)
        assert "Drop `compile`" in run.end.reason


def test_a_gpu_gets_graphs_of_all_kernels_of_a_step() -> None:
    assert options("cuda")["triton.cudagraphs"] is True
    assert options("cpu")["triton.cudagraphs"] is False


@pytest.mark.parametrize(
    ("layer", "device", "wished", "expected"),
    [
        (nn.Conv2d(3, 4, 3), "cuda", None, torch.channels_last),
        (nn.Conv2d(3, 4, 3), "cuda", False, torch.contiguous_format),
        (nn.Conv2d(3, 4, 3), "cpu", None, torch.contiguous_format),
        (nn.Conv2d(3, 4, 3), "cpu", True, torch.channels_last),
        (nn.Linear(3, 4), "cuda", True, torch.contiguous_format),
    ],
)
def test_convolutions_have_their_channels_last_on_a_gpu_or_where_wished(
    layer: nn.Module, device: str, wished: bool | None, expected: torch.memory_format
) -> None:
    assert memory_format(nn.Sequential(layer), device, wished) is expected


@pytest.fixture(scope="module")
def whole(session: Session) -> Runs:
    """All runs in one pack."""
    return by_epoch(told(fused(a_pack(*many_jobs(), **CHOSEN), session)))


def many_jobs() -> list[Job]:
    """Four runs of each weighting, all of the same tasks: more than a block takes."""
    pairs = [job for name in OF_LOSSES for job in of_two_tasks(name)]
    jobs = [*pairs, *(replace(job, lr=job.lr / 2) for job in pairs)]
    return [replace(job, run=run, address=f"job {run}") for run, job in enumerate(jobs, start=1)]


def of_two_tasks(name: str) -> list[Job]:
    """Two runs as those of all tasks."""
    return [
        replace(
            job,
            tasks=("kind", "flag"),
            hyper={
                hyper: (value[0], 1.0 - value[0]) if isinstance(value, tuple) else value
                for hyper, value in job.hyper.items()
            },
        )
        for job in two_jobs(name)
    ]
