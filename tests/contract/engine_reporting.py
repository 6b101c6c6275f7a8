"""Promises of an engine: what is said of a run, in which order, and how a run ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.engine_repeating import resumed, stopped_after, trained
from tests.packs import EPOCHS, Engine, a_job, a_pack, told, two_jobs
from tests.toy import CALM_CALLS, SIZES, TASKS, Toy
from trainers.engines import open_session
from trainers.events import EpochDone
from trainers.jobs import Pack, Schedule
from trainers.weightings import names

# Two good epochs, then a learning rate beyond all bounds.
BLOWS_UP = {"optimizer": "sgd", "schedule": Schedule(kind="step", step_epochs=2, gamma=1e30)}


class ReportingContract:
    """What is reported; an engine's tests give the `engine` fixture."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError("Override the `engine` fixture in your subclass.")

    @pytest.mark.parametrize("name", names())
    def test_events_come_in_order(self, engine: Engine, tmp_path: Path, name: str) -> None:
        pack = a_pack(*two_jobs(name), checkpoints=tmp_path, checkpoint_s=0.0, epochs=3)
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
        values = trained(engine, a_pack(*two_jobs("ew")))[1].epochs[1]
        expected = {("train", task, metric) for task in TASKS for metric in ("loss", "weight")}
        for split in ("validation", "test"):
            expected |= {(split, task, metric) for task in TASKS for metric in ("loss", "error")}
        assert set(values) == expected

    def test_an_epoch_tells_its_cost(self, engine: Engine) -> None:
        run = trained(engine, a_pack(*two_jobs("ew")))[1]
        epochs = [event for event in run.events if isinstance(event, EpochDone)]
        assert {(epoch.samples, epoch.grad_evals) for epoch in epochs} == {(SIZES["train"], 2)}
        assert all(epoch.seconds.train_s > 0 for epoch in epochs)
        assert all(epoch.seconds.test_s > 0 for epoch in epochs)

    def test_start_up_is_paid_once(self, engine: Engine) -> None:
        run = trained(engine, a_pack(*two_jobs("ew")))[1]
        paid = [event.seconds.startup_s > 0 for event in run.events]
        assert paid == [True] + [False] * EPOCHS

    def test_a_whole_run_is_done(self, engine: Engine) -> None:
        for run in trained(engine, a_pack(*two_jobs("ew"))).values():
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
        run = trained(engine, a_pack(a_job(1, tasks=tasks), a_job(2, tasks=tasks)), problem)[1]
        assert run.end.outcome == "failed"
        assert run.end.reason == "ArithmeticError: this loss is tired"
        assert "toy.py" in run.end.detail

    def test_a_failed_run_keeps_its_good_epochs(self, engine: Engine) -> None:
        # With one batch, an epoch calls a loss three times: training, validation, test.
        jobs = (a_job(run, tasks=("raises",)) for run in (1, 2))
        pack = a_pack(*jobs, epochs=9, batch_size=12)
        run = trained(engine, pack, Toy(troubles=("raises",)))[1]
        assert run.end.epoch == len(run.epochs) == CALM_CALLS // 3
        assert run.end.seconds.device_s > 0

    @pytest.mark.parametrize("spoil", ["hyper", "checkpoint"])
    def test_others_go_on_when_one_fails(self, engine: Engine, tmp_path: Path, spoil: str) -> None:
        bad, good = two_jobs("uw-so")
        failing = SPOILED[spoil](engine, a_pack(bad, good, checkpoints=tmp_path))
        runs = trained(engine, failing)
        assert runs[bad.run].end.outcome == "failed"
        assert runs[good.run].end.outcome == "done"

    def test_a_torn_checkpoint_fails_the_run_by_name(self, engine: Engine, tmp_path: Path) -> None:
        torn = torn_checkpoint(engine, a_pack(*two_jobs("ew"), checkpoints=tmp_path))
        end = trained(engine, torn)[1].end
        assert end.reason.startswith("CheckpointUnreadable: ")
        assert end.epoch == 2

    def test_a_stopped_session_trains_nothing(self, engine: Engine) -> None:
        session = open_session(Toy(), "cpu", lambda: True)
        runs = told(engine(a_pack(*two_jobs("ew")), session))
        assert [(run.end.outcome, run.epochs) for run in runs.values()] == [("released", {})] * 2


def unknown_hyper(_engine: Engine, pack: Pack) -> Pack:
    """The first run of the pack names a hyperparameter that does not exist."""
    bad, *rest = pack.jobs
    return replace(pack, jobs=(replace(bad, hyper={"temperatur": 1.0}), *rest))


def torn_checkpoint(engine: Engine, pack: Pack) -> Pack:
    """The first run of the pack goes on from a checkpoint that was cut in half."""
    torn = resumed(pack, trained(engine, replace(pack, until_epoch=2)))
    checkpoint = torn.jobs[0].resume
    assert checkpoint is not None
    path = Path(checkpoint.path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return torn


SPOILED: dict[str, Callable[[Engine, Pack], Pack]] = {
    "hyper": unknown_hyper,
    "checkpoint": torn_checkpoint,
}
