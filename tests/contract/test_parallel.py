"""Several processes train a run as one process does; all packs go to one group of two.

The toy problem has 12 samples; `RAGGED` leaves a last batch of one, less than there are processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from tests.packs import STEPS, Told, a_job, a_pack, told
from tests.partly import Partly
from tests.ranks import trained
from tests.toy import SIZES, Toy
from trainers.engines import open_session, train
from trainers.engines.solo.parallel import refuse_unshared
from trainers.errors import NotParallel
from trainers.events import EpochDone
from trainers.jobs import Checkpoint, Job, Pack
from trainers.protocol import TaskFunctions

WEIGHTINGS = ("ew", "uw", "uw-so", "dwa", "rlw", "gls", "imtl-l")
RAGGED = 11
TOLERANCE = 1e-10
HALF = 2
"""Epochs after which a run is left, and gone on with."""


@dataclass(frozen=True, kw_only=True)
class Tired(Toy):
    """A further task whose loss raises in the second process only."""

    rank: int
    troubles: tuple[str, ...] = ("raises",)

    def functions(self, task: str) -> TaskFunctions:
        found = super().functions(task)
        return replace(found, loss=_tired) if (task, self.rank) == ("raises", 1) else found


def _tired(_output: object, _target: object) -> torch.Tensor:
    raise ArithmeticError("this process is tired")


def tired_toy(rank: int) -> Tired:
    return Tired(rank=rank)


class Normalised(Toy):
    """With a batch normalisation."""

    def trunk(self) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))


@pytest.fixture(scope="module", autouse=True)
def _in_double_precision() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(scope="module")
def packs(folder: Path) -> Mapping[str, Pack]:
    jobs = [a_job(run, name) for run, name in enumerate(WEIGHTINGS)]
    two = [a_job(1, "dwa"), a_job(2, "uw")]
    return {
        "weightings": a_pack(*jobs),
        "ragged": a_pack(*jobs[:3], batch_size=RAGGED, clip_norm=0.1),
        "begun": a_pack(*two, until_epoch=HALF, checkpoints=folder / "by two"),
        "resumed by two": a_pack(*(_resumed(job, folder / "by two") for job in two)),
        "left by one": a_pack(*(_resumed(job, folder / "by one") for job in two)),
        "whole": a_pack(*two),
        "tired": a_pack(a_job(1, tasks=("level", "raises")), a_job(2), epochs=4),
    }


@pytest.fixture(scope="module")
def by_two(packs: Mapping[str, Pack], folder: Path) -> Mapping[str, dict[int, Told]]:
    """What a group of two made of the packs."""
    alone(replace(packs["begun"], checkpoints=str(folder / "by one")))
    found = trained(list(packs.values()), size=2, problem=tired_toy)
    return dict(zip(packs, found, strict=True))


def _resumed(job: Job, folder: Path) -> Job:
    path = str(folder / f"run{job.run}-token{job.token}-epoch{HALF}.pt")
    return replace(job, resume=(Checkpoint(path=path, epoch=HALF),))


def alone(pack: Pack) -> dict[int, Told]:
    return told(train(pack, open_session(Toy(), "cpu")))


def assert_alike(found: Told, wanted: Told, *, first: int = 1) -> None:
    assert found.end.outcome == "done"
    assert list(found.epochs) == list(range(first, wanted.end.epoch + 1))
    for epoch, values in found.epochs.items():
        assert values == pytest.approx(wanted.epochs[epoch], rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("run", range(len(WEIGHTINGS)), ids=WEIGHTINGS)
def test_two_processes_train_as_one(
    run: int, packs: Mapping[str, Pack], by_two: Mapping[str, dict[int, Told]]
) -> None:
    pack = packs["weightings"]
    wanted = alone(replace(pack, jobs=(pack.jobs[run],)))[run]
    assert_alike(by_two["weightings"][run], wanted)


def test_a_last_batch_smaller_than_the_group_counts_as_for_one(
    packs: Mapping[str, Pack], by_two: Mapping[str, dict[int, Told]]
) -> None:
    for run, wanted in alone(packs["ragged"]).items():
        assert_alike(by_two["ragged"][run], wanted)


def test_resuming_changes_nothing(by_two: Mapping[str, dict[int, Told]]) -> None:
    for run, found in by_two["resumed by two"].items():
        assert_alike(found, by_two["whole"][run], first=HALF + 1)


def test_a_group_goes_on_where_one_process_has_left_a_run(
    by_two: Mapping[str, dict[int, Told]],
) -> None:
    for run, found in by_two["left by one"].items():
        assert_alike(found, by_two["whole"][run], first=HALF + 1)


def test_one_process_goes_on_where_a_group_has_left_a_run(
    packs: Mapping[str, Pack], by_two: Mapping[str, dict[int, Told]]
) -> None:
    for run, found in alone(packs["resumed by two"]).items():
        assert_alike(found, by_two["whole"][run], first=HALF + 1)


def test_an_exception_of_one_process_ends_the_run_and_no_other(
    by_two: Mapping[str, dict[int, Told]],
) -> None:
    ends = {run: (of_one.end.outcome, of_one.end.reason) for run, of_one in by_two["tired"].items()}
    why = "PeerFailed: ArithmeticError: this process is tired (in process 1 of 0 to 1)"
    assert ends == {1: ("failed", why), 2: ("done", "")}


def test_a_sample_counts_once(by_two: Mapping[str, dict[int, Told]]) -> None:
    epochs = [event for event in by_two["whole"][1].events if isinstance(event, EpochDone)]
    assert {(event.samples, event.grad_evals) for event in epochs} == {(SIZES["train"], STEPS)}


def partly_labelled(_rank: int) -> Partly:
    return Partly()


def test_elements_of_all_processes_make_one_mean() -> None:
    jobs = [a_job(run, name) for run, name in enumerate(WEIGHTINGS)]
    pack = a_pack(*jobs, batch_size=4)
    (found,) = trained([pack], size=2, problem=partly_labelled)
    wanted = told(train(pack, open_session(Partly(), "cpu")))
    for run, of_one in wanted.items():
        assert_alike(found[run], of_one)


def test_a_normalisation_over_batches_is_refused_on_a_cpu() -> None:
    with pytest.raises(NotParallel, match=r"has one \(trunk.1\), and trains on cpu. Use GPUs"):
        refuse_unshared(open_session(Normalised(), "cpu"))
