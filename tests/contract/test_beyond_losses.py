"""Runs that are weighed by each task's gradient, or after the step: promises of the solo engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchjd import aggregation
from torchjd.autojac import jac_to_grad, mtl_backward

from tests.contract.beyond_problems import Doubled, DoubledInPlace, Idle, Nothing, Tied
from tests.contract.engine_learning import (
    all_batches,
    last_losses,
    losses_of,
    losses_on,
    recorded,
    rows,
    seen_by,
    start,
)
from tests.contract.engine_repeating import by_epoch, resumed, stopped_after, trained
from tests.contract.fused_cases import fused
from tests.contract.test_streamed import in_step
from tests.packs import EPOCHS, OF_LOSSES, STEPS, Told, a_job, a_pack, two_jobs
from tests.toy import SIZES, TASKS, Toy
from tests.unit.weightings.test_pcgrad import projected
from trainers.engines import train
from trainers.events import EpochDone
from trainers.network import MultiTaskNetwork
from trainers.randomness import Key
from trainers.weightings import names, weighting
from trainers.weightings.levels import AfterStepWeighting

pytestmark = pytest.mark.usefixtures("one_thread")

AGREEING = "tests.methods:Agreeing"
METHODS = [*(name for name in names() if name not in OF_LOSSES), AGREEING]
KINDS = ["pcgrad", "gradvac", "db-mtl", "cagrad", "famo", "go4align", AGREEING]
"""One of each kind: chance, a state of each shape, a solver, after the step, by the matrix."""
PLAIN_SGD = {"optimizer": "sgd", "momentum": 0.0}
PAIR = ("level", "kind")
PEERS: dict[str, Callable[[], Any]] = {
    "aligned-mtl": aggregation.AlignedMTL,
    "cagrad": lambda: aggregation.CAGrad(c=0.5),
    "config": aggregation.ConFIG,
    "fairgrad": lambda: aggregation.FairGrad(alpha=1.0),
    "imtl-g": aggregation.IMTLG,
    "mgda": aggregation.MGDA,
    "pcd": aggregation.PCD,
    "pcgrad": aggregation.PCGrad,
}
"""TorchJD's by name, of those that leave nothing to chance with two tasks."""


# all methods go on from a pause in `test_masks`
@pytest.mark.parametrize(("name", "optimizer"), [*zip(KINDS, cycle(("adam", "sgd")), strict=False)])
def test_stopping_and_resuming_changes_no_bit(tmp_path: Path, name: str, optimizer: str) -> None:
    mine = a_job(1, name, weight_decay=0.01)
    pack = a_pack(mine, checkpoints=tmp_path, optimizer=optimizer, clip_norm=0.5)
    problem = Toy(dropout=0.25)
    parts = [stopped_after(train, pack, 1, problem)]
    for epoch in range(2, EPOCHS + 1):
        parts.append(stopped_after(train, resumed(pack, parts[-1]), epoch, problem))
    assert [part[1].end.outcome for part in parts] == ["released"] * (EPOCHS - 1) + ["done"]
    assert by_epoch(*parts) == by_epoch(trained(train, pack, problem))


@pytest.mark.parametrize("name", KINDS)
class TestRepeating:
    def test_trained_twice_has_the_same_bits(self, name: str) -> None:
        pack, problem = a_pack(*two_jobs(name)), Toy(dropout=0.25)
        torch.manual_seed(1)
        first = by_epoch(trained(train, pack, problem))
        torch.manual_seed(2)  # what others drew before must not matter
        assert by_epoch(trained(train, pack, problem)) == first

    def test_runs_in_lockstep_come_out_as_alone(self, name: str) -> None:
        mine, other = two_jobs(name)
        pack, problem = a_pack(other, mine, replace(two_jobs("uw")[0], run=3)), Toy(dropout=0.25)
        alone = by_epoch(trained(train, a_pack(mine), problem))
        assert by_epoch(trained(in_step, pack, problem))[mine.run] == alone[mine.run]

    def test_batches_are_those_of_all_weightings(self, name: str) -> None:
        # before them, some may be read to count the operations of the trunk
        assert seen_by(train, *two_jobs(name))[-EPOCHS:] == usual_orders()

    @pytest.mark.parametrize("split", ["validation", "test"])
    def test_held_out_targets_influence_their_own_rows_only(self, name: str, split: str) -> None:
        usual = rows(usual_run(name))
        shifted = rows(trained(train, a_pack(a_job(1, name)), Toy(shifted=split))[1])
        changed = {key for key, value in usual.items() if shifted[key] != value}
        assert {key[1] for key in changed} == {split}

    def test_trained_again_as_its_own_canary_it_is_the_same(self, name: str) -> None:
        pack = replace(a_pack(*two_jobs(name)), canaries={2: 1e9})
        runs = trained(train, pack, Toy(dropout=0.25))
        assert [(run.end.outcome, run.end.reason) for run in runs.values()] == [("done", "")] * 2

    def test_precision_may_be_low(self, name: str) -> None:
        run = trained(train, a_pack(a_job(1, name), precision="bfloat16"))[1]
        assert run.end.outcome == "done"


class TestCosts:
    @pytest.mark.parametrize(
        ("name", "per_step"), [("ew", 1), ("famo", 1), ("pcgrad", len(TASKS)), (AGREEING, 3)]
    )
    def test_gradient_evaluations_are_those_of_the_method(self, name: str, per_step: int) -> None:
        found = costs_of(usual_run(name))
        assert {cost.grad_evals for cost in found} == {per_step * STEPS}

    def test_a_diverged_epoch_costs_as_much(self) -> None:
        run = trained(train, a_pack(a_job(1, "pcgrad", lr=1e30), **PLAIN_SGD))[1]
        assert (run.end.outcome, run.end.grad_evals) == ("diverged", len(TASKS) * STEPS)

    def test_a_single_task_costs_what_it_does_under_equal_weights(self) -> None:
        of_both = [
            costs_of(trained(train, a_pack(a_job(1, name, tasks=PAIR[:1])))[1])[0]
            for name in ("ew", "pcgrad")
        ]
        assert len({(cost.grad_evals, cost.flops) for cost in of_both}) == 1

    def test_operations_follow_the_passes(self) -> None:
        flops = {name: costs_of(usual_run(name))[0].flops for name in ("ew", "famo", "pcgrad")}
        trunk, heads = 2 * 3 * 4, 2 * 4 * (1 + 3 + 1)  # of a sample, by the shapes of the toy
        passed = SIZES["train"] * (trunk + heads)
        judged = (SIZES["validation"] + SIZES["test"]) * (trunk + heads)
        assert flops["ew"] == 3 * passed + judged
        assert flops["famo"] == 4 * passed + judged
        further = (len(TASKS) - 1) * 2 * SIZES["train"] * trunk
        assert flops["pcgrad"] == 3 * passed + further + judged


class TestLearning:
    @pytest.mark.parametrize("task", TASKS)
    def test_pcgrad_of_a_single_task_is_that_task(self, task: str) -> None:
        single, usual = (
            trained(train, a_pack(a_job(1, name, tasks=(task,))))[1] for name in ("pcgrad", "ew")
        )
        assert single.epochs == usual.epochs

    @pytest.mark.parametrize("name", PEERS)
    def test_it_is_torchjds_over_training(self, name: str, float64: None) -> None:
        mine = a_job(1, name, tasks=PAIR, lr=0.1, hyper={})
        run = trained(train, a_pack(mine, **PLAIN_SGD))[1]
        network, peer = start(Toy(), PAIR), PEERS[name]()
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        for batch in all_batches():  # of two tasks, the order does not matter
            optimizer.zero_grad()
            features = network.trunk(batch.inputs)
            outputs = {task: network.heads[task](features) for task in PAIR}
            losses = [Toy().functions(t).loss(outputs[t], batch.targets[t]) for t in PAIR]
            mtl_backward(losses, features=features)
            jac_to_grad(network.trunk.parameters(), peer)
            optimizer.step()
        expected = pytest.approx(losses_on("validation", network, PAIR), rel=1e-4)
        assert last_losses(run, PAIR) == expected

    def test_gradients_are_in_conflict_here(self) -> None:
        run = trained(train, a_pack(a_job(1, "pcgrad", tasks=PAIR, lr=0.1), **PLAIN_SGD))[1]
        assert max(weights_of(run, PAIR)[0]) > 1

    @pytest.mark.parametrize("clip_norm", [None, 0.05])
    def test_pcgrad_is_the_papers_algorithm_over_training(
        self, float64: None, clip_norm: float | None
    ) -> None:
        mine = a_job(1, "pcgrad", lr=0.1)
        run = trained(train, a_pack(mine, clip_norm=clip_norm, **PLAIN_SGD))[1]
        network, noise = start(Toy()), orders(mine.address)
        for batch in all_batches():
            losses = losses_of(network, batch)
            shared = [*network.trunk.parameters()]
            gradients = torch.stack(
                [torch.cat([g.flatten() for g in of(loss, shared)]) for loss in losses]
            )
            update = projected(gradients, next(noise))
            own = [
                g
                for task, loss in zip(TASKS, losses, strict=True)
                for g in of(loss, [*network.heads[task].parameters()])
            ]
            whole = torch.cat([update, *(g.flatten() for g in own)])
            by_hand(network, whole, clip_norm)
        assert last_losses(run) == pytest.approx(losses_on("validation", network), rel=1e-12)

    def test_an_update_that_is_no_combination(self, float64: None) -> None:
        run = trained(train, a_pack(a_job(1, AGREEING, lr=0.1), **PLAIN_SGD))[1]
        network, shares = start(Toy()), list[Tensor]()
        for batch in all_batches():
            losses = losses_of(network, batch)
            shared, heads = [*network.trunk.parameters()], [*network.heads.parameters()]
            gradients = [of(loss, shared) for loss in losses]
            signs = [sum(g.sign() for g in each) for each in zip(*gradients, strict=True)]
            kept = torch.cat([(sign.abs() == len(TASKS)).flatten() for sign in signs])
            summed = torch.cat([g.flatten() for g in of(sum(losses), shared)])
            own = [g.flatten() for g in of(sum(losses_of(network, batch)), heads)]
            by_hand(network, torch.cat([kept * summed, *own]), None)
            shares.append(kept.double().mean())
        assert last_losses(run) == pytest.approx(losses_on("validation", network), rel=1e-12)
        means = torch.stack(shares).view(EPOCHS, STEPS).mean(1).tolist()
        assert recorded(run, "weight") == [pytest.approx([mean] * 3) for mean in means]

    def test_famo_looks_at_the_batch_again(self, float64: None) -> None:
        run = trained(train, a_pack(a_job(1, "famo", lr=0.1), **PLAIN_SGD))[1]
        method = weighting("famo")
        assert isinstance(method, AfterStepWeighting)
        hyper = {"rate": torch.tensor(1.0), "decay": torch.tensor(1.0)}
        state = {name: torch.full((len(TASKS),), of) for name, of in method.state({}).items()}
        network = start(Toy())
        for batch in all_batches():
            losses = torch.stack(losses_of(network, batch))
            objective = method.objective(losses, state=state)
            whole = [g.flatten() for g in of(objective, [*network.parameters()])]
            by_hand(network, torch.cat(whole), None)
            after = torch.stack(losses_of(network, batch)).detach()
            state = dict(method.after_step(state, losses.detach(), after, hyper=hyper))
        assert last_losses(run) == pytest.approx(losses_on("validation", network), rel=1e-12)

    def test_what_a_network_does_to_its_batch_is_not_seen_again(self) -> None:
        pack = a_pack(a_job(1, "famo"))
        usual, doubling = (trained(train, pack, of)[1] for of in (Doubled(), DoubledInPlace()))
        assert doubling.epochs == usual.epochs

    @pytest.mark.parametrize("name", ["ew", "pcgrad"])
    def test_a_parameter_that_no_loss_reaches_stays(self, name: str) -> None:
        problem = Idle(kept=[])
        trained(train, a_pack(a_job(1, name, weight_decay=0.5), optimizer="sgd"), problem)
        assert [idle.tolist() for idle in problem.kept][-1] == [3.0]

    @pytest.mark.parametrize("part", ["seed", "address"])
    def test_orders_depend_on_their_address(self, part: str) -> None:
        mine = a_job(1, "pcgrad", lr=1.0)
        first = trained(train, a_pack(mine, epochs=4))[1]
        changed = a_pack(replace(mine, address="elsewhere"), epochs=4)
        if part == "seed":
            changed = a_pack(mine, seed=8, epochs=4)
        assert recorded(trained(train, changed)[1], "weight") != recorded(first, "weight")


class TestRefusals:
    @pytest.mark.parametrize("name", METHODS)
    def test_stacks_are_refused_and_the_others_go_on(self, name: str) -> None:
        mine, others = a_job(1, name), [replace(job, run=job.run + 1) for job in two_jobs("ew")]
        runs = trained(fused, a_pack(mine, *others))
        assert [run.end.outcome for run in runs.values()] == ["failed", "done", "done"]
        assert runs[1].end.failure == "NeedsSolo"
        assert 'and is not trained with `engine = "fused"`. Drop that, or' in runs[1].end.reason

    @pytest.mark.parametrize("name", METHODS)
    def test_compiled_steps_are_refused(self, name: str) -> None:
        end = trained(train, a_pack(a_job(1, name), compile=True))[1].end
        assert (end.failure, end.outcome) == ("NeedsSolo", "failed")
        assert "and is not trained with `compile = true`" in end.reason

    @pytest.mark.parametrize(
        ("name", "failure", "why"),
        [
            ("Wanting", "MissingPackage", "Not installed here: no_such_package"),
            ("Unsolvable", "Unsolved", "It did not. Take another weighting."),
        ],
    )
    def test_what_cannot_be_computed_fails_its_run_alone(
        self, name: str, failure: str, why: str
    ) -> None:
        jobs = (a_job(1, f"tests.methods:{name}", hyper={}), replace(a_job(1, "ew"), run=2))
        runs = trained(train, a_pack(*jobs))
        assert (runs[1].end.outcome, runs[1].end.failure) == ("failed", failure)
        assert why in runs[1].end.reason
        assert runs[2].end.outcome == "done"

    @pytest.mark.parametrize(
        ("problem", "why"),
        [
            ("Nothing", "This trunk has none. Move what tasks share into `trunk`"),
            ("Tied", "heads.kind.weight is part of more than one"),
        ],
    )
    def test_networks_without_a_clear_trunk_are_refused(self, problem: str, why: str) -> None:
        of = {"Nothing": Nothing(), "Tied": Tied()}[problem]
        end = trained(train, a_pack(a_job(1, "pcgrad")), of)[1].end
        assert (end.outcome, end.failure) == ("failed", "NoSharedPart")
        assert why in end.reason
        assert trained(train, a_pack(a_job(1, "ew")), of)[1].end.outcome == "done"


@cache
def usual_run(name: str) -> Told:
    """A run of a method on the toy, for all tests that look at it."""
    return trained(train, a_pack(a_job(1, name)))[1]


@cache
def usual_orders() -> list[tuple[int, ...]]:
    return seen_by(train, *two_jobs("ew"))


def costs_of(run: Told) -> list[EpochDone]:
    return [event for event in run.events if isinstance(event, EpochDone)]


def weights_of(run: Told, tasks: Sequence[str]) -> list[list[float]]:
    return [run.curve("train", task, "weight") for task in tasks]


def orders(address: str) -> Iterator[Tensor]:
    """The noise ``[T, T]`` of each step."""
    for epoch in range(1, EPOCHS + 1):
        generator = (Key("7") / "noise" / address / epoch).generator()
        yield from torch.randn(STEPS, len(TASKS), len(TASKS), generator=generator)


def of(loss: Tensor, params: Sequence[Tensor]) -> Sequence[Tensor]:
    """Gradients of a loss, and the graph stays."""
    return torch.autograd.grad(loss, params, retain_graph=True)


@torch.no_grad()
def by_hand(network: MultiTaskNetwork, whole: Tensor, clip_norm: float | None) -> None:
    """A step of 0.1 along what all parameters descend along."""
    if clip_norm is not None:
        whole = whole * min(1.0, clip_norm / (float(whole.norm()) + 1e-6))
    params = [*network.parameters()]
    pieces = whole.split([param.numel() for param in params])
    for param, piece in zip(params, pieces, strict=True):
        param -= 0.1 * piece.view_as(param)
