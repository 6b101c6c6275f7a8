"""What the fused engine promises beside the contracts of all engines: solo's numbers, and the same
bits in every pack."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import cycle, product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.engine_repeating import (
    OPTIMIZERS,
    SCHEDULES,
    by_epoch,
    resumed,
    stopped_after,
    trained,
)
from tests.contract.fused_cases import Greedy, Normed, OddlyJudged, Placed, fused, mixed_jobs
from tests.packs import EPOCHS, Told, Values, a_job, a_pack, a_session, told, two_jobs
from tests.pairwise import pairwise
from tests.toy import TASKS, Toy
from trainers.engines import train
from trainers.events import EpochDone
from trainers.jobs import Job, Pack

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

THIRTY_STEPS = {"epochs": 8, "batch_size": 3}
METRIC_STEP = 2.0**-24
"""To multiples of this, absolute errors are rounded."""

PROBLEMS = {"toy": Toy(dropout=0.25), "normed": Normed(dropout=0.25), "placed": Placed()}
TRAININGS = {
    "adam": {"optimizer": "adam"},
    "adamw": {"optimizer": "adamw", "schedule": SCHEDULES["cosine"]},
    "sgd": {"optimizer": "sgd", "clip_norm": 0.5, "batch_size": 5},
    "bfloat16": {"optimizer": "adam", "batch_size": 5, "precision": "bfloat16"},
}


class TestEqualsSolo:
    @pytest.mark.parametrize(
        ("optimizer", "schedule", "problem", "clip_norm", "third"),
        pairwise(OPTIMIZERS, SCHEDULES, PROBLEMS, (None, 0.5), range(3)),
    )
    def test_in_double_precision(
        self,
        float64: None,
        optimizer: str,
        schedule: str,
        problem: str,
        clip_norm: float | None,
        third: int,
    ) -> None:
        chosen = {"optimizer": optimizer, "schedule": SCHEDULES[schedule], "clip_norm": clip_norm}
        pack = a_pack(*each_weighting()[third::3], batch_size=6, epochs=3, **chosen)
        assert_alike(pack, PROBLEMS[problem], rel=1e-12)

    @pytest.mark.parametrize(("share", "optimizer"), [*enumerate(OPTIMIZERS)])
    def test_after_thirty_steps_in_single_precision(self, share: int, optimizer: str) -> None:
        jobs = each_weighting()[share :: len(OPTIMIZERS)]
        pack = a_pack(*jobs, **THIRTY_STEPS, optimizer=optimizer, clip_norm=0.5)
        assert_alike(pack, Toy(dropout=0.25), rel=2e-4)

    def test_a_metric_that_cannot_be_stacked_is_computed_run_by_run(self, float64: None) -> None:
        assert_alike(a_pack(*two_jobs("ew")), OddlyJudged(), rel=1e-12)

    @pytest.mark.parametrize(
        ("optimizer", "first", "third"),
        [
            (optimizer, first, third)
            for optimizer, (third, first) in zip(
                OPTIMIZERS, cycle(product(range(3), ["solo", "fused"])), strict=False
            )
        ],
    )
    def test_one_engine_goes_on_from_the_others_checkpoints(
        self, float64: None, tmp_path: Path, optimizer: str, first: str, third: int
    ) -> None:
        jobs = each_weighting()[third::3]
        pack = a_pack(*jobs, epochs=3, checkpoints=tmp_path, optimizer=optimizer)
        engines = (train, fused) if first == "solo" else (fused, train)
        begun = trained(engines[0], replace(pack, until_epoch=2), Normed())
        whole = by_epoch(begun, trained(engines[1], resumed(pack, begun), Normed()))
        assert_near(whole, by_epoch(trained(train, pack, Normed())), rel=1e-12)


class TestAnyPack:
    @pytest.mark.parametrize("training", TRAININGS)
    @pytest.mark.parametrize("problem", PROBLEMS)
    @settings(max_examples=1)  # of twelve, in every run of the tests
    @given(data=st.data())
    def test_has_the_same_bits(self, problem: str, training: str, data: st.DataObject) -> None:
        whole = reference(problem, training)
        jobs = data.draw(st.permutations(mixed_jobs()))[: data.draw(st.integers(1, 12))]
        cut_at = data.draw(st.integers(1, EPOCHS - 1))
        with TemporaryDirectory() as folder:
            pack = a_pack(checkpoints=folder, **TRAININGS[training])
            first = in_packs(jobs, replace(pack, until_epoch=cut_at), problem, data)
            going_on = resumed(replace(pack, jobs=tuple(jobs)), first).jobs
            later = in_packs(data.draw(st.permutations(going_on)), pack, problem, data)
        assert by_epoch(first, later) == {job.run: whole[job.run] for job in jobs}

    def test_goes_on_with_the_same_bits_when_runs_diverge(self) -> None:
        jobs = mixed_jobs()
        good = [job for job in jobs if job.run % 3 == 0 or len(job.tasks) == 1]
        bad = [replace(job, lr=1e30) for job in jobs if job not in good]
        pack = replace(a_pack(optimizer="sgd"), jobs=(*bad, *good))
        runs = trained(fused, pack)
        calm = trained(fused, replace(pack, jobs=tuple(good)))
        assert {runs[job.run].end.outcome for job in bad} == {"diverged"}
        assert {run: runs[run].epochs for run in calm} == {r: t.epochs for r, t in calm.items()}


class TestPacks:
    def test_an_epoch_is_told_of_all_runs_together_in_the_order_of_the_jobs(self) -> None:
        jobs = [a_job(run, lr=lr) for run, lr in ((5, 0.1), (2, 0.01), (9, 0.1), (1, 0.02))]
        events = fused(a_pack(*jobs), a_session())
        order = [(event.epoch, event.run) for event in events if isinstance(event, EpochDone)]
        assert order == [(epoch, run) for epoch in range(1, 1 + EPOCHS) for run in (5, 2, 9, 1)]

    def test_an_epochs_time_is_shared_equally(self) -> None:
        first, second = (run.events for run in trained(fused, a_pack(*two_jobs("uw"))).values())
        assert [event.seconds for event in first] == [event.seconds for event in second]

    def test_runs_at_different_epochs_are_trained_one_after_the_other(self, tmp_path: Path) -> None:
        pack = a_pack(*mixed_jobs()[:4], checkpoints=tmp_path)
        stopped = trained(fused, replace(pack, until_epoch=2))
        ahead = resumed(pack, stopped)
        mixed = replace(ahead, jobs=(*ahead.jobs[:2], *pack.jobs[2:]))
        runs, whole = trained(fused, mixed), trained(fused, pack)
        assert list(runs[1].epochs) == [3]
        assert by_epoch(stopped, runs)[1] == whole[1].epochs
        assert runs[3].epochs == whole[3].epochs

    def test_an_exception_ends_all_runs_that_were_stacked(self) -> None:
        tasks = (*TASKS, "raises")
        both = (a_job(run, tasks=tasks) for run in (1, 2))
        pack = a_pack(*both, a_job(3), epochs=9, batch_size=12)
        runs = trained(fused, pack, Toy(troubles=("raises",)))
        ends = [run.end for run in runs.values()]
        assert [end.outcome for end in ends] == ["failed", "failed", "done"]
        assert ends[0].failure_key == ends[1].failure_key
        assert ends[0].epoch == len(runs[1].epochs) > 0

    def test_too_little_memory_ends_all_runs_with_that_class(self) -> None:
        ends = [run.end for run in trained(fused, a_pack(*two_jobs("ew")), Greedy()).values()]
        assert [(end.outcome, end.failure) for end in ends] == [("failed", "OutOfMemory")] * 2

    def test_a_stop_releases_the_stacks_that_have_not_begun(self, tmp_path: Path) -> None:
        jobs = a_job(1), a_job(2), a_job(3, tasks=("flag",))
        runs = stopped_after(fused, a_pack(*jobs, checkpoints=tmp_path), 1, Toy())
        assert [run.end.outcome for run in runs.values()] == ["released"] * 3
        assert [len(run.epochs) for run in runs.values()] == [1, 1, 0]

    def test_a_file_is_read_for_the_run_that_asks(self, tmp_path: Path) -> None:
        pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path)
        half = resumed(pack, trained(fused, replace(pack, until_epoch=2)))
        foreign = replace(a_job(77, "uw"), resume=half.jobs[0].resume)
        run = trained(fused, replace(half, jobs=(foreign, half.jobs[1])))[77]
        assert [skipped.path for skipped in run.skipped] == [foreign.resume[0].path]
        assert list(run.epochs) == [1, 2, 3]

    @pytest.mark.parametrize("other", ["network", "optimizer", "weighting"])
    def test_a_state_of_another_shape_is_skipped(self, tmp_path: Path, other: str) -> None:
        pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path)
        half = resumed(pack, trained(fused, replace(pack, until_epoch=2)))
        if other == "optimizer":
            half = replace(half, training=replace(half.training, optimizer="sgd"))
        if other == "weighting":
            changed = (replace(job, weighting="ew", hyper={}) for job in half.jobs)
            half = replace(half, jobs=tuple(changed))
        run = trained(fused, half, Normed() if other == "network" else Toy())[1]
        assert len(run.skipped) == 1
        assert run.skipped[0].reason.startswith("A checkpoint must hold the state of its own run.")

    def test_running_statistics_are_each_runs_own(self, float64: None, tmp_path: Path) -> None:
        pack = a_pack(*two_jobs("ew"), checkpoints=tmp_path, until_epoch=2)
        by_solo, by_fused = (
            [network_of(run) for run in trained(engine, pack, Normed()).values()]
            for engine in (train, fused)
        )
        torch.testing.assert_close(by_fused, by_solo, rtol=1e-12, atol=1e-12)
        mean = "trunk.1.running_mean"
        assert not torch.equal(by_fused[0][mean], by_fused[1][mean])


def network_of(run: Told) -> dict[str, torch.Tensor]:
    """The network's state in a run's newest checkpoint."""
    file = torch.load(run.checkpoints[-1].checkpoint.path, weights_only=True)
    state: dict[str, torch.Tensor] = file["runs"][run.end.run]["network"]
    return state


@cache
def reference(problem: str, training: str) -> dict[int, dict[int, Values]]:
    """All runs in one pack, in one piece."""
    pack = a_pack(*mixed_jobs(), **TRAININGS[training])
    return by_epoch(trained(fused, pack, PROBLEMS[problem]))


def in_packs(jobs: list[Job], pack: Pack, problem: str, data: st.DataObject) -> dict[int, Told]:
    """Train runs in packs of any sizes."""
    session = a_session(PROBLEMS[problem])
    events, left = [], list(jobs)
    while left:
        size = data.draw(st.integers(1, len(left)))
        events += list(fused(replace(pack, jobs=tuple(left[:size])), session))
        left = left[size:]
    return told(events)


def assert_alike(pack: Pack, problem: Toy, *, rel: float) -> None:
    """Both engines give the same numbers, up to rounding."""
    assert_near(
        by_epoch(trained(fused, pack, problem)), by_epoch(trained(train, pack, problem)), rel=rel
    )


def assert_near(
    found: dict[int, dict[int, Values]], expected: dict[int, dict[int, Values]], *, rel: float
) -> None:
    first, second = flat(found), flat(expected)
    assert first.keys() == second.keys()
    for key, value in first.items():
        quantum = METRIC_STEP if key[-1] == "error" else 0.0
        assert value == pytest.approx(second[key], rel=rel, abs=rel + quantum), key


def each_weighting() -> list[Job]:
    """Every second of the mixed jobs: each weighting and each single task once."""
    return mixed_jobs()[1::2]


def flat(runs: dict[int, dict[int, Values]]) -> dict[tuple[object, ...], float]:
    return {
        (run, epoch, *key): value
        for run, epochs in runs.items()
        for epoch, values in epochs.items()
        for key, value in values.items()
    }
