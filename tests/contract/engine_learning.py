"""Promises of an engine: what is learned, against replays written here in plain PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp

import pytest
import torch
from torch import Tensor

from tests.contract.engine_repeating import trained, two_trained
from tests.packs import (
    EPOCHS,
    OF_EACH_KIND,
    OF_LOSSES,
    STEPS,
    Engine,
    Told,
    a_job,
    a_pack,
    a_session,
    hyper_for,
    two_jobs,
)
from tests.toy import SIZES, TASKS, Toy
from trainers.jobs import Job, Schedule
from trainers.network import MultiTaskNetwork, build_network
from trainers.problems import TensorSource
from trainers.protocol import Batch
from trainers.randomness import Key
from trainers.weightings import weighting

ONE_BATCH = {"batch_size": SIZES["train"]}
PLAIN_SGD = {"optimizer": "sgd", "momentum": 0.0, **ONE_BATCH}


class LearningContract:
    """What is learned; an engine's tests give the `engine` fixture."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError("Override the `engine` fixture in your subclass.")

    @pytest.mark.parametrize("name", OF_LOSSES)
    def test_weights_are_derivatives_of_the_objective(
        self, engine: Engine, float64: None, name: str
    ) -> None:
        # Decay and clipping must not reach what the weighting learns: the replay has neither.
        mine = a_job(1, name, weight_decay=0.5)
        pack = a_pack(mine, two_jobs(name)[1], clip_norm=0.01, **PLAIN_SGD)
        run = trained(engine, pack)[1]
        expected = torch.tensor(replayed_weights(run, mine))
        torch.testing.assert_close(
            torch.tensor(recorded(run, "weight")), expected, rtol=1e-9, atol=0
        )

    @pytest.mark.parametrize("optimizer", ["adam", "adamw"])
    def test_what_a_weighting_learns_is_not_decayed(
        self, engine: Engine, float64: None, optimizer: str
    ) -> None:
        # Adam's first step is the learning rate, up or down; decay from 1 would add half of it.
        mine = a_job(1, "uw", hyper={"s0": 1.0}, weight_decay=0.5, lr=0.01)
        run = trained(engine, a_pack(mine, a_job(2, "uw"), optimizer=optimizer, **ONE_BATCH))[1]
        steps = [0.5 * exp(-1.0 + step) for step in (0.01, -0.01)]
        for weight in recorded(run, "weight")[1]:
            assert min(abs(weight / step - 1) for step in steps) < 1e-5

    def test_equal_weights_are_ones(self, engine: Engine) -> None:
        run = two_trained(engine, "ew")[1]
        assert recorded(run, "weight") == [[1.0] * len(TASKS)] * EPOCHS

    def test_given_weights_are_recorded_exactly(self, engine: Engine) -> None:
        run = two_trained(engine, "scalarization")[1]
        assert recorded(run, "weight") == [[0.25, 0.25, 0.5]] * EPOCHS

    @pytest.mark.parametrize("name", ["uw-so", "rlw"])
    def test_softmaxed_weights_sum_to_one(self, engine: Engine, name: str) -> None:
        run = two_trained(engine, name)[1]
        assert [sum(row) for row in recorded(run, "weight")] == pytest.approx([1.0] * EPOCHS)

    @pytest.mark.parametrize("momentum", [0.0, 0.9])
    @pytest.mark.parametrize("clip_norm", [None, 0.05])
    def test_sgd_is_the_update_written_by_hand(
        self, engine: Engine, float64: None, momentum: float, clip_norm: float | None
    ) -> None:
        mine = a_job(1, lr=0.1, weight_decay=0.3)
        chosen = {"optimizer": "sgd", "momentum": momentum, "clip_norm": clip_norm}
        run = trained(engine, a_pack(mine, a_job(2), **chosen))[1]
        network = by_hand_sgd(lr=0.1, decay=0.3, momentum=momentum, clip_norm=clip_norm)
        assert last_losses(run) == pytest.approx(losses_on("validation", network), rel=1e-12)

    def test_the_rate_follows_the_schedule(self, engine: Engine, float64: None) -> None:
        halving = {"optimizer": "sgd", "momentum": 0.0, "schedule": Schedule(kind="step")}
        run = trained(engine, a_pack(a_job(1, lr=0.8), a_job(2), **halving))[1]
        network = by_hand_sgd(lr=(0.8, 0.4, 0.2, 0.1))
        assert last_losses(run) == pytest.approx(losses_on("validation", network), rel=1e-12)

    @pytest.mark.parametrize("optimizer", ["adam", "adamw"])
    def test_equal_weighting_is_a_plain_loop(
        self, engine: Engine, float64: None, optimizer: str
    ) -> None:
        mine = a_job(1, lr=0.01, weight_decay=0.1)
        run = trained(engine, a_pack(mine, a_job(2), optimizer=optimizer))[1]
        network = start(Toy())
        kind = torch.optim.Adam if optimizer == "adam" else torch.optim.AdamW
        plain = kind(network.parameters(), lr=0.01, weight_decay=0.1)
        for batch in all_batches():
            plain.zero_grad()
            sum(losses_of(network, batch)).backward()
            plain.step()
        assert last_losses(run) == pytest.approx(losses_on("validation", network), rel=1e-12)

    @pytest.mark.parametrize("task", TASKS)
    def test_a_single_task_starts_where_the_multi_task_network_does(
        self, engine: Engine, task: str
    ) -> None:
        still = {"optimizer": "sgd", "epochs": 1}
        multi = trained(engine, a_pack(a_job(1, lr=0.0), a_job(2, lr=0.0), **still))[1].epochs[1]
        alone = (a_job(run, lr=0.0, tasks=(task,)) for run in (1, 2))
        single = trained(engine, a_pack(*alone, **still))[1].epochs[1]
        shared = {key: value for key, value in multi.items() if key[1] == task}
        assert single == pytest.approx(shared, rel=1e-6)

    @pytest.mark.parametrize("task", TASKS)
    def test_a_single_task_trains_its_head_alone(
        self, engine: Engine, float64: None, task: str
    ) -> None:
        alone = (a_job(run, lr=0.1, tasks=(task,)) for run in (1, 2))
        run = trained(engine, a_pack(*alone, optimizer="sgd", momentum=0.0))[1]
        network = by_hand_sgd(lr=0.1, tasks=(task,))
        expected = losses_on("validation", network, (task,))
        assert last_losses(run, (task,)) == pytest.approx(expected, rel=1e-12)

    def test_batches_are_the_same_for_all_weightings(self, engine: Engine) -> None:
        orders = {name: tuple(seen_by(engine, *two_jobs(name))) for name in OF_LOSSES}
        orders["stl"] = tuple(seen_by(engine, a_job(1, tasks=("flag",)), a_job(2, tasks=("flag",))))
        assert len(set(orders.values())) == 1

    def test_each_epoch_has_every_sample_once_in_an_order_of_its_own(self, engine: Engine) -> None:
        orders = set(seen_by(engine, *two_jobs("ew")))
        assert len(orders) == EPOCHS
        assert {tuple(sorted(order)) for order in orders} == {tuple(range(SIZES["train"]))}

    @pytest.mark.parametrize("name", OF_EACH_KIND)
    def test_held_out_targets_influence_their_own_rows_only(
        self, engine: Engine, name: str
    ) -> None:
        pack = a_pack(a_job(1, name), epochs=3)
        usual = rows(trained(engine, pack)[1])
        for split in ("validation", "test"):
            shifted = rows(trained(engine, pack, Toy(shifted=split))[1])
            changed = {key for key, value in usual.items() if shifted[key] != value}
            assert {key[1] for key in changed} == {split}


def recorded(run: Told, metric: str) -> list[list[float]]:
    """Training values by epoch and task."""
    return [[values["train", task, metric] for task in TASKS] for values in run.epochs.values()]


def rows(run: Told) -> dict[tuple[int, str, str, str], float]:
    return {(epoch, *key): v for epoch, values in run.epochs.items() for key, v in values.items()}


def replayed_weights(run: Told, job: Job) -> list[list[float]]:
    """Loss weights by epoch, from the recorded losses alone; one batch an epoch, plain SGD."""
    method = weighting(job.weighting)
    checked = method.checked(hyper_for(job.weighting), len(TASKS))
    hyper = {name: torch.tensor(value) for name, value in checked.items()}
    params = {name: per_task(s).requires_grad_() for name, s in method.params(checked).items()}
    state: Mapping[str, Tensor] = {n: per_task(s) for n, s in method.state(checked).items()}
    table = []
    for epoch, row in enumerate(recorded(run, "loss"), start=1):
        losses = torch.tensor(row, requires_grad=True)
        generator = (Key("7") / "noise" / job.address / epoch).generator()
        noise = torch.randn(1, len(TASKS), generator=generator)[0] if method.noise else None
        objective = method.objective(losses, hyper=hyper, params=params, state=state, noise=noise)
        weights, *gradients = torch.autograd.grad(objective, [losses, *params.values()])
        table.append(weights.tolist())
        with torch.no_grad():
            for param, gradient in zip(params.values(), gradients, strict=True):
                param -= job.lr * gradient
        state = method.end_epoch(state, losses.detach())
    return table


def per_task(start: float) -> Tensor:
    return torch.full((len(TASKS),), start)


def start(problem: Toy, tasks: Sequence[str] = TASKS) -> MultiTaskNetwork:
    return build_network(problem, tasks, Key("7") / "init")


def all_batches() -> Iterator[Batch]:
    """The batches of a whole run, in the order of its seed."""
    source = Toy().sources(torch.device("cpu"))["train"]
    for epoch in range(1, EPOCHS + 1):
        generator = (Key("7") / "order" / epoch).generator()
        yield from source.batches(torch.randperm(source.size, generator=generator), 6, Key("any"))


def losses_of(
    network: MultiTaskNetwork, batch: Batch, tasks: Sequence[str] = TASKS
) -> list[Tensor]:
    outputs = network(batch.inputs)
    return [Toy().functions(task).loss(outputs[task], batch.targets[task]) for task in tasks]


def losses_on(split: str, network: MultiTaskNetwork, tasks: Sequence[str] = TASKS) -> list[float]:
    source = Toy().sources(torch.device("cpu"))[split]
    (batch,) = source.batches(None, source.size, Key("any"))
    return [loss.item() for loss in losses_of(network, batch, tasks)]


def last_losses(run: Told, tasks: Sequence[str] = TASKS) -> list[float]:
    return [run.curve("validation", task, "loss")[-1] for task in tasks]


def by_hand_sgd(
    *,
    lr: float | Sequence[float],
    decay: float = 0.0,
    momentum: float = 0.0,
    clip_norm: float | None = None,
    tasks: Sequence[str] = TASKS,
) -> MultiTaskNetwork:
    """A network trained by SGD as the textbook has it; `lr` may be one rate an epoch."""
    rates = [lr] * EPOCHS if isinstance(lr, float) else lr
    network = start(Toy(), tasks)
    weights = list(network.parameters())
    velocity = [torch.zeros_like(weight) for weight in weights]
    for step, batch in enumerate(all_batches()):
        gradients = torch.autograd.grad(sum(losses_of(network, batch, tasks)), weights)
        norm = sum(gradient.square().sum() for gradient in gradients) ** 0.5
        shrink = 1.0 if clip_norm is None else min(1.0, clip_norm / (float(norm) + 1e-6))
        with torch.no_grad():
            for weight, speed, gradient in zip(weights, velocity, gradients, strict=True):
                speed.mul_(momentum).add_(shrink * gradient + decay * weight)
                weight -= rates[step // STEPS] * speed
    return network


@dataclass(frozen=True)
class Watched:
    """A source that notes the order it is read in."""

    source: TensorSource
    orders: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.source.size

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        assert order is not None, "training data is read in an order"
        self.orders.append(tuple(order.tolist()))
        return self.source.batches(order, batch_size, key)


def seen_by(engine: Engine, *jobs: Job) -> list[tuple[int, ...]]:
    """Orders in which the training data was read, without repetition, by epoch."""
    session, pack = a_session(), a_pack(*jobs)
    for job in jobs:
        session.epoch_flops(job.tasks, pack.training)  # reads some to count operations, once
    watched = Watched(Toy().sources(torch.device("cpu"))["train"])
    list(engine(pack, replace(session, sources={**session.sources, "train": watched})))
    return list(dict.fromkeys(watched.orders))
