"""Data that is decoded per batch: read once for all runs of a pack, and nothing else changes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

from tests.contract.engine_repeating import (
    RepeatingContract,
    by_epoch,
    resumed,
    stopped_after,
    trained,
)
from tests.contract.engine_reporting import BLOWS_UP, PackedContract
from tests.contract.fused_cases import fused, mixed_jobs
from tests.decoding import Decoding
from tests.packs import EPOCHS, Engine, Values, a_job, a_pack
from tests.toy import SIZES, TASKS, Toy
from trainers.engines import Session, train
from trainers.events import Event
from trainers.jobs import Job, Pack
from trainers.reading import ReadAhead

pytestmark = pytest.mark.usefixtures("one_thread")

ENGINES = {"solo": train, "fused": fused}


@pytest.fixture(autouse=True)
def nobody_reads_on() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if "ahead" in thread.name] == []


def in_step(pack: Pack, session: Session) -> Iterator[Event]:
    """The solo engine, as it trains on data that says it is streamed."""
    sources = {
        split: ReadAhead(source, session.device) for split, source in session.sources.items()
    }
    return train(pack, replace(session, sources=sources))


class TestInStep(RepeatingContract, PackedContract):
    """The promises of all engines; what is learned is that of `TestAlone`, to the last bit."""

    @pytest.fixture
    def engine(self) -> Engine:
        return in_step


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
class TestReading:
    def test_each_sample_is_made_once_an_epoch_for_a_pack(self, engine: Engine) -> None:
        problem = Decoding()
        trained(engine, a_pack(a_job(1), a_job(2), a_job(3)), problem)
        addresses = [f"7/augment/{epoch}" for epoch in range(1, EPOCHS + 1)]
        assert of_training(problem.made["train"], addresses) == {
            (address, row): 1 for address in addresses for row in range(SIZES["train"])
        }
        for split in ("validation", "test"):
            assert of_training(problem.made[split], ["evaluation"]) == {
                ("evaluation", row): EPOCHS for row in range(SIZES[split])
            }

    def test_reading_ahead_changes_no_bit(self, engine: Engine) -> None:
        pack = a_pack(*mixed_jobs()[::4])
        found = trained(engine, pack, Decoding(dropout=0.25))
        plain = trained(engine, pack, Decoding(dropout=0.25, streamed=False))
        assert by_epoch(found) == by_epoch(plain)

    def test_a_sample_that_cannot_be_made_ends_all_runs_with_the_place(
        self, engine: Engine
    ) -> None:
        runs = trained(engine, a_pack(a_job(1), a_job(2)), Decoding(broken_at=5))
        for run in runs.values():
            assert (run.end.outcome, run.end.epoch) == ("failed", 1)
            assert run.end.reason.startswith("OSError: sample 5 is torn (train data; ")
            assert "in _decoded" in run.end.detail
        assert len({run.end.failure_key for run in runs.values()}) == 1

    def test_runs_that_fail_in_the_midst_of_a_pass_end_the_reading(self, engine: Engine) -> None:
        # the loss is called for every sample, and raises while others are read ahead
        tasks = (*TASKS, "raises")
        jobs = a_job(1, tasks=tasks), a_job(2, tasks=tasks)
        runs = trained(engine, a_pack(*jobs, batch_size=1), Decoding(troubles=("raises",)))
        assert {run.end.outcome for run in runs.values()} == {"failed"}

    def test_who_stops_listening_ends_the_reading(self, engine: Engine) -> None:
        problem = Decoding()
        runs = stopped_after(engine, a_pack(a_job(1), a_job(2)), 2, problem)
        assert [run.end.outcome for run in runs.values()] == ["released"] * 2
        assert len(problem.made["train"]) and not problem.made["train"]["7/augment/3", 0]


class TestAlone:
    """A run comes out as it would alone."""

    def test_with_other_tasks_dropout_and_normalisation_beside_it(self) -> None:
        jobs, problem = mixed_jobs()[::2], Decoding(dropout=0.25)
        pack = a_pack(*jobs, clip_norm=0.5, epochs=2)
        found = by_epoch(trained(train, pack, problem))
        for job in jobs:
            assert found[job.run] == alone(job, pack, problem)[job.run]

    def test_dropout_draws(self) -> None:
        pack = a_pack(a_job(1), a_job(2))
        still, drawn = (trained(train, pack, Decoding(dropout=share)) for share in (0.0, 0.25))
        assert by_epoch(still) != by_epoch(drawn)

    def test_after_another_has_failed_in_a_step(self) -> None:
        jobs = a_job(1), a_job(2, tasks=(*TASKS, "raises")), a_job(3, lr=0.01)
        problem = Decoding(dropout=0.25, troubles=("raises",))
        pack = a_pack(*jobs, epochs=4)
        runs = trained(train, pack, problem)
        assert [run.end.outcome for run in runs.values()] == ["done", "failed", "done"]
        assert runs[2].end.reason.startswith("ArithmeticError: this loss is tired (loss of task ")
        for job in (jobs[0], jobs[2]):
            assert runs[job.run].epochs == alone(job, pack, problem)[job.run]

    def test_after_another_has_diverged(self) -> None:
        mine, bad = a_job(1, lr=1e-30), a_job(2)
        pack, problem = a_pack(bad, mine, **BLOWS_UP), Decoding(dropout=0.25)
        runs = trained(train, pack, problem)
        assert [run.end.outcome for run in runs.values()] == ["diverged", "done"]
        assert runs[mine.run].epochs == alone(mine, pack, problem)[mine.run]

    def test_after_all_others_have_diverged_each_epoch_is_still_read_once(self) -> None:
        problem = Decoding()
        trained(train, a_pack(a_job(1, lr=1e-30), a_job(2), **BLOWS_UP), problem)
        assert set(of_training(problem.made["train"], ["7/augment/4"]).values()) == {1}

    def test_that_goes_on_from_a_checkpoint_of_the_pack(self, tmp_path: Path) -> None:
        pack, problem = a_pack(*mixed_jobs()[::4], checkpoints=tmp_path), Decoding(dropout=0.25)
        half = trained(train, replace(pack, until_epoch=2), problem)
        rest = trained(train, resumed(pack, half), problem)
        for job in pack.jobs:
            assert by_epoch(half, rest)[job.run] == alone(job, pack, problem)[job.run]

    def test_that_has_fallen_back_is_trained_apart(self, tmp_path: Path) -> None:
        problem = Decoding(dropout=0.25)
        pack = a_pack(*mixed_jobs()[:4], checkpoints=tmp_path)
        ahead = resumed(pack, trained(train, replace(pack, until_epoch=2), problem))
        mixed = replace(ahead, jobs=(*ahead.jobs[:2], *pack.jobs[2:]))
        runs = trained(train, mixed, problem)
        assert [next(iter(run.epochs)) for _, run in sorted(runs.items())] == [3, 3, 1, 1]
        whole = by_epoch(trained(train, pack, problem))
        for run, found in runs.items():
            assert found.epochs == {epoch: whole[run][epoch] for epoch in found.epochs}


def test_an_epochs_time_is_shared_equally() -> None:
    first, second = (
        run.events for run in trained(train, a_pack(a_job(1), a_job(2)), Decoding()).values()
    )
    assert [event.seconds for event in first] == [event.seconds for event in second]


def test_data_in_memory_is_trained_on_one_run_after_the_other() -> None:
    problem = Decoding(streamed=False)
    trained(train, a_pack(a_job(1), a_job(2), a_job(3)), problem)
    assert set(of_training(problem.made["train"], ["7/augment/1"]).values()) == {3}


@dataclass(frozen=True, kw_only=True)
class Scribbling(Decoding):
    """A network that changes its inputs."""

    def trunk(self) -> nn.Module:
        return nn.Sequential(Squaring(), nn.Linear(3, 4))


class Squaring(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.square_()


def test_nobody_sees_what_another_has_written_into_a_batch() -> None:
    jobs = [a_job(run, lr=0.01 * (1 + run)) for run in range(3)]
    found = by_epoch(trained(train, a_pack(*jobs), Scribbling()))
    for job in jobs:
        assert found[job.run] == alone(job, a_pack(), Scribbling())[job.run]


def of_training(made: Counter[tuple[str, int]], addresses: list[str]) -> dict[Any, int]:
    """What was made for some addresses; a look at the network takes samples, too."""
    return {key: n for key, n in made.items() if key[0] in addresses}


def alone(job: Job, pack: Pack, problem: Toy) -> Mapping[int, Mapping[int, Values]]:
    """A run of data that is not streamed, in a pack of its own."""
    of_one = replace(pack, jobs=(job,), checkpoints=None)
    return by_epoch(trained(train, of_one, replace(problem, streamed=False)))
