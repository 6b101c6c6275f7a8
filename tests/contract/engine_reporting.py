"""Promises of an engine: what is said of a run, in which order, and how a run ends."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.engine_repeating import resumed, stopped_after, trained, two_trained
from tests.packs import EPOCHS, STEPS, Engine, a_job, a_pack, told, two_jobs
from tests.toy import CALM_CALLS, SIZES, TASKS, Toy
from trainers.engines import open_session
from trainers.events import EpochDone
from trainers.jobs import Checkpoint, Schedule

_USUAL = ("loss", "weight", "error")

# Two good epochs, then a learning rate beyond all bounds; others go on for two more.
_BEYOND = Schedule(kind="step", step_epochs=2, gamma=1e30)
BLOWS_UP = {"epochs": 4, "optimizer": "sgd", "schedule": _BEYOND}


class ReportingContract:
    """What is reported; an engine's tests give the `engine` fixture."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError("Override the `engine` fixture in your subclass.")

    def test_events_come_in_order(self, engine: Engine, tmp_path: Path) -> None:
        pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path, checkpoint_s=0.0, epochs=3)
        for run in trained(engine, pack).values():
            kinds = [type(event).__name__ for event in run.events]
            assert kinds == [*["EpochDone", "CheckpointWritten"] * 2, "EpochDone", "RunEnded"]
            assert list(run.epochs) == [1, 2, 3]
            assert [saved.checkpoint.epoch for saved in run.checkpoints] == [1, 2]

    def test_every_event_names_run_and_attempt(self, engine: Engine, tmp_path: Path) -> None:
        jobs = a_job(1, token=11), a_job(2, token=22)
        runs = trained(engine, a_pack(*jobs, checkpoints=tmp_path, checkpoint_s=0.0))
        for run, token in ((1, 11), (2, 22)):
            assert {event.token for event in runs[run].events} == {token}

    def test_an_epoch_tells_loss_weight_and_metrics_of_each_task(self, engine: Engine) -> None:
        values = two_trained(engine, "ew")[1].epochs[1]
        expected = {("train", task, metric) for task in TASKS for metric in ("loss", "weight")}
        for split in ("validation", "test"):
            expected |= {(split, task, metric) for task in TASKS for metric in ("loss", "error")}
        assert set(values) == expected

    @pytest.mark.parametrize("name", ["uw-so", "dwa", "ew"])
    def test_losses_that_are_not_positive_are_counted_where_they_matter(
        self, engine: Engine, name: str
    ) -> None:
        pack = a_pack(*two_jobs("gls"), *(replace(j, run=j.run + 2) for j in two_jobs(name)))
        runs = trained(engine, pack, Toy(lowered="kind"))
        counted = {("train", "kind", "not_positive_steps"): float(STEPS)}
        for run, found in runs.items():
            expected = {} if run > 2 and name == "ew" else counted
            for values in found.epochs.values():
                assert {k: v for k, v in values.items() if k[2] not in _USUAL} == expected

    def test_an_epoch_tells_its_cost(self, engine: Engine) -> None:
        run = two_trained(engine, "ew")[1]
        epochs = [event for event in run.events if isinstance(event, EpochDone)]
        assert {(epoch.samples, epoch.grad_evals) for epoch in epochs} == {(SIZES["train"], 2)}
        assert all(epoch.seconds.train_s > 0 for epoch in epochs)
        assert all(epoch.seconds.test_s > 0 for epoch in epochs)

    def test_start_up_is_paid_once(self, engine: Engine) -> None:
        run = two_trained(engine, "ew")[1]
        paid = [event.seconds.startup_s > 0 for event in run.events]
        assert paid == [True] + [False] * EPOCHS

    def test_a_whole_run_is_done(self, engine: Engine) -> None:
        for run in two_trained(engine, "ew").values():
            assert (run.end.outcome, run.end.epoch) == ("done", EPOCHS)

    @pytest.mark.parametrize("until_epoch", range(1, EPOCHS))
    def test_it_pauses_with_a_checkpoint(
        self, engine: Engine, tmp_path: Path, until_epoch: int
    ) -> None:
        pack = a_pack(*two_jobs("uw"), until_epoch=until_epoch, checkpoints=tmp_path)
        for run in trained(engine, pack).values():
            assert (run.end.outcome, run.end.epoch) == ("paused", until_epoch)
            assert [saved.checkpoint.epoch for saved in run.checkpoints] == [until_epoch]

    def test_it_is_released_with_a_checkpoint(self, engine: Engine, tmp_path: Path) -> None:
        pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path)
        for run in stopped_after(engine, pack, 2, Toy()).values():
            assert run.end.outcome == "released"
            assert run.end.epoch == len(run.epochs)
            assert [s.checkpoint.epoch for s in run.checkpoints] == list(run.epochs)[-1:]

    def test_a_run_asked_to_stop_at_its_end_is_done(self, engine: Engine) -> None:
        runs = stopped_after(engine, a_pack(*two_jobs("ew")), EPOCHS, Toy())
        assert runs[1].end.outcome == "done"

    def test_without_a_folder_no_checkpoint_is_written(self, engine: Engine) -> None:
        runs = trained(engine, a_pack(*two_jobs("ew"), until_epoch=2, checkpoint_s=0.0))
        assert [run.checkpoints for run in runs.values()] == [[], []]
        assert runs[1].end.outcome == "paused"

    def test_checkpoints_keep_their_distance(self, engine: Engine, tmp_path: Path) -> None:
        runs = trained(engine, a_pack(*two_jobs("ew"), checkpoints=tmp_path, checkpoint_s=1e9))
        assert [run.checkpoints for run in runs.values()] == [[], []]

    def test_written_checkpoints_are_whole_files(self, engine: Engine, tmp_path: Path) -> None:
        folder = tmp_path / "new" / "folder"
        runs = trained(engine, a_pack(*two_jobs("dwa"), checkpoints=folder, checkpoint_s=0.0))
        assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []
        for saved in runs[1].checkpoints:
            assert saved.size_bytes == Path(saved.checkpoint.path).stat().st_size

    def test_two_attempts_write_different_files(self, engine: Engine, tmp_path: Path) -> None:
        first, second = (
            trained(
                engine, a_pack(a_job(1, token=token), a_job(2), checkpoints=tmp_path, until_epoch=1)
            )
            for token in (1, 2)
        )
        assert first[1].checkpoints[0].checkpoint.path != second[1].checkpoints[0].checkpoint.path

    def test_a_run_that_blows_up_is_diverged(self, engine: Engine) -> None:
        run = trained(engine, a_pack(*two_jobs("ew"), **BLOWS_UP))[1]
        assert (run.end.outcome, run.end.epoch) == ("diverged", 2)

    def test_a_diverged_run_says_what_was_not_finite(self, engine: Engine) -> None:
        run = trained(engine, a_pack(*two_jobs("ew"), **BLOWS_UP))[1]
        rule = r"In epoch 3 the (train|validation) \w+ of task \w+ is (nan|inf)\."
        assert re.fullmatch(rule, run.end.reason)

    def test_a_diverged_epoch_has_no_values_but_costs(self, engine: Engine) -> None:
        run = trained(engine, a_pack(*two_jobs("ew"), **BLOWS_UP))[1]
        assert list(run.epochs) == [1, 2]
        assert run.end.seconds.train_s > 0
        good = next(event for event in run.events if isinstance(event, EpochDone))
        cost = (run.end.samples, run.end.grad_evals, run.end.flops)
        assert cost == (good.samples, good.grad_evals, good.flops)
        assert min(cost) > 0

    def test_others_go_on_when_one_diverges(self, engine: Engine) -> None:
        good = a_job(2)
        pack = a_pack(a_job(1, lr=1e30), good, optimizer="sgd")
        runs = trained(engine, pack)
        calm = trained(engine, a_pack(a_job(1), good, optimizer="sgd"))
        assert runs[1].end.outcome == "diverged"
        assert runs[2].epochs == calm[2].epochs

    def test_an_exception_in_a_loss_fails_the_run(self, engine: Engine) -> None:
        tasks = (*TASKS, "raises")
        problem = Toy(troubles=("raises",))
        pack = a_pack(a_job(1, tasks=tasks), a_job(2, tasks=tasks), epochs=4)
        run = trained(engine, pack, problem)[1]
        assert run.end.outcome == "failed"
        assert run.end.reason.startswith("ArithmeticError: this loss is tired")
        assert "toy.py" in run.end.detail

    def test_a_failed_run_keeps_its_good_epochs(self, engine: Engine) -> None:
        # With one batch, an epoch calls a loss three times: training, validation, test.
        jobs = (a_job(run, tasks=("raises",)) for run in (1, 2))
        pack = a_pack(*jobs, epochs=9, batch_size=12)
        run = trained(engine, pack, Toy(troubles=("raises",)))[1]
        assert run.end.epoch == len(run.epochs) == CALM_CALLS // 3
        assert run.end.seconds.device_s > 0

    def test_others_go_on_when_one_fails(self, engine: Engine) -> None:
        bad, good = two_jobs("uw-so")
        runs = trained(engine, a_pack(replace(bad, hyper={"temperatur": 1.0}), good))
        assert runs[bad.run].end.outcome == "failed"
        assert runs[good.run].end.outcome == "done"

    def test_a_torn_checkpoint_is_skipped_for_the_one_before(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path)
        whole = trained(engine, pack)
        first = resumed(pack, trained(engine, replace(pack, until_epoch=1)))
        second = resumed(pack, trained(engine, replace(first, until_epoch=2)))
        older, newer = first.jobs[0].resume, second.jobs[0].resume
        tear(newer[0])
        mended = replace(
            second, jobs=(replace(second.jobs[0], resume=newer + older), *second.jobs[1:])
        )
        runs = trained(engine, mended)
        assert [event.path for event in runs[1].skipped] == [newer[0].path]
        assert "CheckpointUnreadable" not in runs[1].end.reason
        assert runs[1].epochs == {e: v for e, v in whole[1].epochs.items() if e > 1}

    def test_with_no_good_checkpoint_the_run_begins_again(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path)
        torn = resumed(pack, trained(engine, replace(pack, until_epoch=2)))
        tear(torn.jobs[0].resume[0])
        assert trained(engine, torn)[1].epochs == trained(engine, pack)[1].epochs

    def test_a_failure_has_a_class_and_a_key_that_its_twin_shares(self, engine: Engine) -> None:
        pack = a_pack(*two_jobs("ew"))
        bad = tuple(replace(job, hyper={"temperatur": 1.0}) for job in pack.jobs)
        ends = [run.end for run in trained(engine, replace(pack, jobs=bad)).values()]
        assert {end.failure for end in ends} == {"UnknownHyper"}
        assert len({end.failure_key for end in ends}) == 1

    def test_operations_and_memory_are_told(self, engine: Engine) -> None:
        runs = two_trained(engine, "ew")
        done = [event for run in runs.values() for event in run.events]
        flops = {event.flops for event in done if isinstance(event, EpochDone)}
        assert len(flops) == 1
        assert min(flops) > 0
        assert all(run.end.peak_memory_bytes > 0 for run in runs.values())

    def test_a_stopped_session_trains_nothing(self, engine: Engine) -> None:
        session = open_session(Toy(), "cpu", lambda: True)
        runs = told(engine(a_pack(*two_jobs("ew")), session))
        assert [(run.end.outcome, run.epochs) for run in runs.values()] == [("released", {})] * 2


class PackedContract(ReportingContract):
    """What is reported of runs that are trained together."""

    def test_a_pack_is_one_file(self, engine: Engine, tmp_path: Path) -> None:
        jobs = a_job(5, token=9), a_job(4, token=8)
        trained(engine, a_pack(*jobs, checkpoints=tmp_path, until_epoch=2))
        assert [path.name for path in tmp_path.iterdir()] == ["pack-run5-token9-epoch2.pt"]


def tear(checkpoint: Checkpoint) -> None:
    """Cut a checkpoint's file in half."""
    path = Path(checkpoint.path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
