from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.contract.fused_cases import Normed, OddlyJudged, Placed
from tests.packs import a_job, a_pack
from tests.toy import Toy
from tests.unit.trainers.failing import Failing
from trainers.engines import network_facts, open_session, train
from trainers.errors import RunsMeet
from trainers.events import RunEnded
from trainers.jobs import ProblemRef
from trainers.problems import build
from trainers.protocol import TaskFunctions
from trainers.randomness import Key


class Counting(nn.Module):
    """Looks at single numbers, which `vmap` refuses."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * inputs.sum().item()


class Hungry(nn.Module):
    """Finds no memory."""

    def forward(self, inputs: Tensor) -> Tensor:
        raise MemoryError


class Forgetful(nn.Module):
    """Has a parameter that it does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Parameter(torch.zeros(3))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs


class Tired(nn.Module):
    """Raises in its second step."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
            _refuse_second(self.calls)
        return inputs


def _refuse_second(calls: Tensor) -> None:
    if not torch._C._functorch.is_batchedtensor(calls) and calls > 1:
        raise ArithmeticError("no more")


TIRED_LINE = _refuse_second.__code__.co_firstlineno + 2


class Aware(nn.Module):
    """Gives something else in a stack than alone."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * (2.0 if torch._C._functorch.maybe_current_level() else 1.0)


class With(Toy):
    """The toy with one more layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        object.__setattr__(self, "layer", layer)

    def trunk(self) -> nn.Module:
        return nn.Sequential(super().trunk(), deepcopy(self.layer))  # type: ignore[attr-defined]


class Itemised(Toy):
    def functions(self, task: str) -> TaskFunctions:
        return replace(super().functions(task), loss=_itemised)


def _itemised(output: Tensor, target: Any) -> Tensor:
    return output.mean() * output.max().item()


class Second(nn.Module):
    """Drops features by a generator of its own, as a GPU has one beside the processor's."""

    generator = torch.Generator()

    def forward(self, inputs: Tensor) -> Tensor:
        drawn = torch.rand(inputs.shape[1:], generator=self.generator)
        return inputs * (drawn > 0.5)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def second_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who seeds for a device seeds its generator, and nobody else does."""
    seed_global = Key.seed_global

    def seed(key: Key, device: torch.device | None = None) -> None:
        seed_global(key, device)
        if device is not None:
            Second.generator.manual_seed(key.seed)

    monkeypatch.setattr(Key, "seed_global", seed)


def obstacle(problem: Any) -> str:
    return network_facts(open_session(problem, "cpu")).obstacle


@pytest.mark.parametrize(
    "problem",
    [Toy(dropout=0.5), Normed(dropout=0.5), Placed(), OddlyJudged()],
    ids=lambda problem: type(problem).__name__,
)
def test_nothing_is_in_the_way_of(problem: Toy) -> None:
    assert obstacle(problem) == ""


@pytest.mark.parametrize("network", ["mlp", "lenet"])
def test_shipped_networks_are_told_apart(network: str) -> None:
    problem = build(ProblemRef(target="digits", options={"network": network}))
    facts = network_facts(open_session(problem, "cpu"))
    assert (facts.convolutional, facts.obstacle) == (network == "lenet", "")


@pytest.mark.parametrize("problem", [With(Counting()), Itemised()], ids=["network", "loss"])
def test_what_vmap_refuses(problem: Toy) -> None:
    assert obstacle(problem).startswith("does not survive `torch.func.vmap` (RuntimeError: ")


@pytest.mark.parametrize("fails", ["trunk", "head", "loss", "metric"])
def test_what_fails_alone_too_is_told_as_a_run_tells_it(fails: str) -> None:
    session = open_session(Failing(fails=fails), "cpu")
    (ended,) = train(a_pack(a_job(1), epochs=1), session)
    assert isinstance(ended, RunEnded)
    assert ended.outcome == "failed"
    found = network_facts(session).obstacle
    assert found.split(", line")[0] == f"fails: {ended.reason}".split(", line")[0]


def test_what_fails_in_a_later_step_is_not_put_down_to_stacks() -> None:
    found = obstacle(With(Tired()))
    assert found == (
        "fails within a few steps, alone as in a stack: ArithmeticError: no more "
        f"(trunk; {Path(__file__).name}, line {TIRED_LINE})"
    )


def test_a_parameter_without_use() -> None:
    # A solo optimiser leaves it alone, a stacked one would decay it.
    found = obstacle(With(Forgetful()))
    assert found == "has a parameter that no loss depends on (trunk.1.spare)"


def test_other_values_than_alone() -> None:
    assert obstacle(With(Aware())) == "has other losses, gradients or buffers in a stack than alone"


class NotANumber(Toy):
    """Its loss is never one."""

    def functions(self, task: str) -> TaskFunctions:
        return replace(super().functions(task), loss=lambda output, _: output.sum() * torch.nan)


def test_a_loss_that_is_not_finite_is_named_and_nothing_else() -> None:
    session = open_session(NotANumber(), "cpu")
    facts = network_facts(session, "float32")
    assert facts.obstacle.startswith("has a loss that is not finite before it is trained")
    assert facts.unsaved == ""


def test_parameters_of_another_type() -> None:
    found = obstacle(With(nn.Linear(4, 4).double()))
    assert found.startswith("has parameters that are not of the default type")


def test_with_several_threads_only_what_is_the_same_at_every_place(two_threads: None) -> None:
    assert obstacle(Toy()) == ""
    assert "whose last bits depend on where a thread's share begins" in obstacle(Placed())


@pytest.mark.usefixtures("second_generator")
def test_dropout_that_a_device_draws_is_no_obstacle() -> None:
    assert obstacle(With(Second())) == ""


def test_memory_that_runs_out_in_the_look_is_no_obstacle() -> None:
    with pytest.raises(MemoryError):
        obstacle(With(Hungry()))


class Counted(nn.Linear):
    """Keeps a number in its class, which all runs share."""

    n_calls = 0

    def forward(self, inputs: Tensor) -> Tensor:
        type(self).n_calls += self.training
        return super().forward(inputs) / (1 + 0.01 * type(self).n_calls)


def test_what_a_run_leaves_to_the_next_is_refused() -> None:
    with pytest.raises(RunsMeet, match=r"In a few steps that were trained twice, .* was not"):
        obstacle(With(Counted(4, 4)))
