"""The operations that stacks take on a GPU, on a processor: the same numbers up to rounding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.contract.engine_repeating import by_epoch, resumed
from tests.contract.fused_cases import Normed, fused, mixed_jobs
from tests.packs import a_pack, told
from tests.toy import TASKS, Toy
from trainers.engines import open_session, train
from trainers.hardware import gpu
from trainers.jobs import Pack

CHOSEN = {"batch_size": 5, "clip_norm": 0.5}


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(gpu, "wants_few_kernels", lambda _device: True)
    yield
    torch.set_num_threads(threads)


def a_mixed_pack(**more: object) -> Pack:
    return a_pack(*(job for job in mixed_jobs() if job.tasks == TASKS), **CHOSEN, **more)


@pytest.mark.parametrize(
    ("third", "optimizer", "problem"),
    [(0, "sgd", Normed(dropout=0.25)), (1, "adam", Toy(dropout=0.25)), (2, "adamw", Normed())],
    ids=str,
)
def test_fused_runs_are_those_of_the_solo_engine(problem: Toy, third: int, optimizer: str) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        pack = a_mixed_pack(optimizer=optimizer)
        pack = replace(pack, jobs=pack.jobs[third::3])
        solo, stacked = (
            by_epoch(told(engine(pack, open_session(problem, "cpu")))) for engine in (train, fused)
        )
    finally:
        torch.set_default_dtype(torch.float32)
    assert stacked.keys() == solo.keys()
    for run, epochs in solo.items():
        for epoch, values in epochs.items():
            assert stacked[run][epoch] == pytest.approx(values, rel=1e-10, abs=1e-10)


def test_rows_of_one_weighting_lie_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object) -> None:
        raise AssertionError("a GPU sorts for this")

    monkeypatch.setattr(torch.Tensor, "index_copy_", refused)
    ends = told(fused(a_mixed_pack(), open_session(Toy(), "cpu")))
    assert {run.end.outcome for run in ends.values()} == {"done"}


@pytest.mark.parametrize("rows", [24, 40])
def test_a_stack_of_fixed_size_gives_a_run_the_same_bits_in_any_pack(rows: int) -> None:
    session = open_session(Normed(dropout=0.25), "cpu")
    whole = replace(a_mixed_pack(), rows=rows)
    expected = by_epoch(told(fused(whole, session)))
    for some in (whole.jobs[:1], whole.jobs[3:5], whole.jobs[::-2]):
        found = by_epoch(told(fused(replace(whole, jobs=some), session)))
        assert found == {job.run: expected[job.run] for job in some}


def test_a_stack_of_fixed_size_goes_on_where_it_was(tmp_path: Path) -> None:
    session = open_session(Normed(dropout=0.25), "cpu")
    whole = replace(a_mixed_pack(checkpoints=tmp_path), rows=24)
    expected = by_epoch(told(fused(replace(whole, checkpoints=None), session)))
    half = told(fused(replace(whole, until_epoch=2), session))
    later = told(fused(resumed(whole, half), session))
    assert by_epoch(half, later) == expected


def test_compiled_stacks_lie_in_one_place_and_are_those_of_a_new_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    whole = a_mixed_pack(compile=True)
    one, addresses = open_session(Normed(dropout=0.25), "cpu"), set()
    for some in (whole.jobs[:4], whole.jobs[4:8], whole.jobs[:4]):
        pack = replace(whole, jobs=some, rows=32)
        found = by_epoch(told(fused(pack, one)))
        assert found == by_epoch(told(fused(pack, open_session(Normed(dropout=0.25), "cpu"))))
        (place,) = one.places._places.values()
        addresses.add(place.stored[0].values.data_ptr())
    assert len(addresses) == 1
