"""What training sections for large inputs promise of runs that are trained one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.contract.engine_repeating import by_epoch, resumed, trained
from tests.contract.fused_cases import Normed, fused
from tests.contract.test_fused import assert_near, flat
from tests.packs import STEPS, a_job, a_pack, a_session, two_jobs
from tests.scene import DENSE, Scene
from tests.toy import TASKS, Toy
from trainers.engines import one_epoch, open_session, promises, train
from trainers.engines.solo.engine import begun
from trainers.engines.solo.micro_batches import micro_batches, total
from trainers.errors import TaskMismatch
from trainers.jobs import Job, Pack
from trainers.protocol import Batch, TaskFunctions

PER_TASK = {"optimizer": "tests.optimizers:TaskAdam"}

pytestmark = pytest.mark.usefixtures("one_thread")


def jobs() -> list[Job]:
    """One run of each way to take a step, and a single-task baseline."""
    methods = ("uw-so", "uw", "pcgrad", "famo")
    pairs = [a_job(run, name, tasks=DENSE) for run, name in enumerate(methods, start=1)]
    return [*pairs, a_job(5, tasks=("depths",))]


class TestChannelsLast:
    def test_gives_the_same_numbers_up_to_rounding(self, float64: None) -> None:
        found = [
            by_epoch(trained(train, a_pack(*jobs(), channels_last=wished, epochs=2), Scene()))
            for wished in (False, True)
        ]
        assert_near(*found, rel=1e-6)

    def test_goes_on_with_the_same_bits(self, tmp_path: Path) -> None:
        pack = a_pack(*jobs(), channels_last=True, checkpoints=tmp_path)
        assert_goes_on(pack, Scene(network="unet"))

    def test_is_the_default_of_no_cpu(self) -> None:
        plain, wished = (
            by_epoch(trained(train, a_pack(*jobs(), channels_last=wished, epochs=1), Scene()))
            for wished in (None, False)
        )
        assert plain == wished


class TestFloat16:
    @pytest.mark.parametrize(
        ("job", "chosen"),
        [
            *((job, chosen) for job in jobs() for chosen in ({}, {"clip_norm": 0.1})),
            *((job, PER_TASK) for job in jobs()[:2]),
        ],
        ids=lambda of: of.weighting if isinstance(of, Job) else str(of),
    )
    def test_is_near_single_precision(self, job: Job, chosen: dict[str, Any]) -> None:
        """Losses, weights and clipped steps: with a scale in them they would be far off."""
        whole, half = (
            by_epoch(trained(train, a_pack(job, precision=precision, epochs=2, **chosen), Scene()))
            for precision in ("float32", "float16")
        )
        losses = {key: of for key, of in flat(whole).items() if key[-1] in ("loss", "weight")}
        found = flat(half)
        assert {key: found[key] for key in losses} == pytest.approx(losses, rel=0.01, abs=0.01)
        assert found != flat(whole)

    @pytest.mark.parametrize("job", jobs(), ids=lambda job: f"{job.weighting}-{len(job.tasks)}")
    def test_an_overflow_costs_steps_and_not_the_run(self, job: Job) -> None:
        pack = a_pack(job, precision="float16", epochs=8, batch_size=3)
        (run,) = trained(train, pack, Steep()).values()
        skipped = [
            values.get(("train", "depths", "skipped_steps"), 0) for values in run.epochs.values()
        ]
        assert run.end.outcome == "done"
        assert skipped[0] == 4  # of as many
        assert skipped[-1] == 0
        curve = run.curve("train", "depths", "loss")
        assert curve[0] != curve[-1]

    def test_a_step_that_is_not_taken_changes_nothing(self, tmp_path: Path) -> None:
        pack = a_pack(
            *jobs(), precision="float16", checkpoints=tmp_path, until_epoch=1, batch_size=12
        )
        steep = trained(train, pack, Steep())
        for run in steep.values():
            file = torch.load(run.checkpoints[-1].checkpoint.path, weights_only=True)
            state = file["runs"][run.end.run]
            assert state["optimizer"]["state"] == {}
            assert state["loss_scale"] == {"factor": 2.0**15, "n_good": 0}
            for learned in (state["params"], state["state"]):
                assert all(of.unique().numel() == 1 for of in learned.values())

    def test_goes_on_with_the_same_bits(self, tmp_path: Path) -> None:
        pack = a_pack(*jobs(), precision="float16", checkpoints=tmp_path)
        assert_goes_on(pack, Steep())

    def test_keeps_its_promises(self) -> None:
        found = promises(open_session(Scene(network="unet"), "cpu"), "float16")
        assert [promise.found for promise in found if promise.needed] == [""] * 3

    def test_is_for_no_stack(self) -> None:
        pack = a_pack(*two_jobs("ew"), precision="float16")
        ends = [run.end for run in trained(fused, pack).values()]
        assert [end.failure for end in ends] == ["NotStackable"] * 2
        assert 'Take `engine = "solo"`' in ends[0].reason


class TestMicroBatches:
    @pytest.mark.parametrize(
        ("size", "chosen"), [(1, {}), (4, {"clip_norm": 0.1}), (4, PER_TASK), (6, PER_TASK)]
    )
    def test_a_step_is_that_of_the_whole_batch(
        self, size: int, chosen: dict[str, Any], float64: None
    ) -> None:
        """With pixels and images that have no label of a task, and a last batch of two."""
        runs = jobs()[:2] if chosen is PER_TASK else jobs()
        options = {"batch_size": 10, "epochs": 2, **chosen}
        found = [
            by_epoch(trained(train, a_pack(*runs, micro_batch_size=of, **options), Scene()))
            for of in (None, size)
        ]
        assert_near(*found, rel=1e-9)

    def test_goes_on_with_the_same_bits(self, tmp_path: Path) -> None:
        pack = a_pack(*jobs()[2:4], micro_batch_size=4, checkpoints=tmp_path)
        assert_goes_on(pack, Scene(network="unet"))

    def test_is_near_single_precision_in_half(self) -> None:
        whole, parts = (
            flat(by_epoch(trained(train, a_pack(*jobs(), epochs=2, **chosen), Scene())))
            for chosen in ({}, {"precision": "float16", "micro_batch_size": 2})
        )
        losses = {key: of for key, of in whole.items() if key[-1] in ("loss", "weight")}
        assert {key: parts[key] for key in losses} == pytest.approx(losses, rel=0.01, abs=0.01)

    @pytest.mark.parametrize("name", ["ew", "pcgrad"])
    def test_the_look_at_the_losses_leaves_no_trace_in_the_network(
        self, name: str, tmp_path: Path
    ) -> None:
        pack = a_pack(
            a_job(1, name), micro_batch_size=2, checkpoints=tmp_path, until_epoch=1, epochs=2
        )
        (run,) = trained(train, pack, Normed()).values()
        file = torch.load(run.checkpoints[-1].checkpoint.path, weights_only=True)
        network = file["runs"][1]["network"]
        (n_seen,) = (of for key, of in network.items() if key.endswith("num_batches_tracked"))
        assert int(n_seen) == STEPS * 3

    def test_both_passes_have_the_same_dropout(self) -> None:
        """The loss that is recorded is the one that is differentiated."""
        pack = a_pack(a_job(), micro_batch_size=2)
        run = begun(pack.jobs[0], pack, a_session(Toy(dropout=0.5)))
        run.begin_epoch(1)
        batch = next(one_epoch.batches(run.session, pack.training, run.key, 1, TASKS))
        parts = run._parts(batch)
        looked_at, seen = run._looked_at(parts), total(parts, run._losses)
        torch.testing.assert_close(looked_at, seen.detach(), rtol=0, atol=0)

    def test_is_for_no_stack(self) -> None:
        pack = a_pack(*two_jobs("ew"), micro_batch_size=2)
        ends = [run.end for run in trained(fused, pack).values()]
        assert [end.failure for end in ends] == ["NotStackable"] * 2

    def test_what_has_no_row_for_each_sample_cannot_be_divided(self) -> None:
        batch = Batch(torch.zeros(6, 2), {"level": torch.zeros(6), "kind": torch.zeros(3)})
        with pytest.raises(TaskMismatch, match=r"of its 6 samples. Got one of shape \(3,\)"):
            micro_batches(batch, 2, {})


class Steep(Scene):
    """Losses whose gradients overflow with the first factor, and not with a lower one."""

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)

        def loss(output: Tensor, target: Any) -> Tensor:
            return usual.loss(output, target) * 300

        return replace(usual, loss=loss)


def assert_goes_on(pack: Pack, problem: Scene) -> None:
    """A run that pauses is the run that does not."""
    pack = replace(pack, training=replace(pack.training, epochs=2), until_epoch=2)
    half = trained(train, replace(pack, until_epoch=1), problem)
    whole = by_epoch(half, trained(train, resumed(pack, half), problem))
    assert whole == by_epoch(trained(train, pack, problem))
