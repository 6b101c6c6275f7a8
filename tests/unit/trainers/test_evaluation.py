from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from tests.toy import TASKS, Toy
from trainers.engines.fused.forward import Forward, repeated, trained_parameters
from trainers.engines.fused.stack_evaluation import StackEvaluation
from trainers.evaluation import Evaluation, Value, first_not_finite, storable
from trainers.network import MultiTaskNetwork, build_network
from trainers.problems import MeanAbsoluteError, TensorSource, mse
from trainers.protocol import TaskFunctions
from trainers.randomness import Key

NOTHING = MultiTaskNetwork(nn.Identity(), {"x": nn.Identity()})
FUNCTIONS = {"x": TaskFunctions(loss=mse, metrics={"error": MeanAbsoluteError()})}
# The network returns its input, so that the errors are 1, 3 and 2.
SOURCE = TensorSource(torch.tensor([1.0, 2.0, 3.0]), {"x": torch.tensor([2.0, 5.0, 1.0])})


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_hand_values_in_any_batches(batch_size: int) -> None:
    values = evaluated(NOTHING, SOURCE, FUNCTIONS, batch_size=batch_size)
    assert values == [
        ("test", "x", "loss", pytest.approx(14 / 3)),
        ("test", "x", "error", 2.0),
    ]


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_batches_change_no_bit_of_a_metrics_sum(batch_size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, targets = torch.randn(2, 100, generator=generator)
    source = TensorSource(outputs, {"x": targets})
    first, again = (
        dict(metric_values(source, batch_size=size))["error"] for size in (batch_size, 50)
    )
    assert first == again


def test_dropout_is_off() -> None:
    network = build_network(Toy(dropout=0.5), TASKS, Key("7"))
    assert of_toy(network) == of_toy(network)


@dataclass(frozen=True)
class Pixels:
    """Counts of so many pixels a batch, half of them right, as single precision holds them."""

    n: int

    def statistics(self, _output: Tensor, _target: Tensor) -> Tensor:
        return torch.tensor([self.n // 2, self.n], dtype=torch.float32)

    def value(self, total: Tensor) -> float:
        return float(total[1])


@pytest.mark.parametrize(("n_batches", "n"), [(2_000, 9_973), (3, 2**24 - 1), (20, 2**23 + 1)])
def test_counts_of_many_batches_are_not_rounded(n_batches: int, n: int) -> None:
    zeros = torch.zeros(n_batches)
    functions = {"x": TaskFunctions(loss=mse, metrics={"n": Pixels(n)})}
    source = TensorSource(zeros, {"x": zeros})
    assert evaluated(NOTHING, source, functions, batch_size=1)[1][-1] == n_batches * n
    forward = Forward(MultiTaskNetwork(nn.Linear(1, 1), {"x": nn.Identity()}), functions)
    params = repeated(trained_parameters(forward.network), 2)
    source = TensorSource(zeros.unsqueeze(1), {"x": zeros.unsqueeze(1)})
    of_stack = StackEvaluation(forward, n_members=2)
    for values in of_stack.values(params, {}, source, split="test", batch_size=1):
        assert values[1][-1] == n_batches * n


@dataclass(frozen=True)
class Range:
    """Largest less smallest output: no sum over samples."""

    gathered = True

    def statistics(self, output: Tensor, _target: Tensor) -> Tensor:
        return output.flatten()

    def value(self, total: Tensor) -> float:
        return float(total.max() - total.min())


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_a_metric_that_gathers_sees_all_samples_at_once(batch_size: int) -> None:
    numbers = torch.tensor([[3.0], [-2.0], [1.0]])
    functions = {"x": TaskFunctions(loss=mse, metrics={"range": Range()})}
    source = TensorSource(numbers, {"x": numbers})
    assert evaluated(NOTHING, source, functions, batch_size=batch_size)[1][-1] == 5.0
    forward = Forward(MultiTaskNetwork(nn.Linear(1, 1), {"x": nn.Identity()}), functions)
    params = {name: torch.ones(2, *of.shape) for name, of in forward.network.named_parameters()}
    params["trunk.weight"] *= torch.tensor([1.0, 3.0]).view(2, 1, 1)
    found = StackEvaluation(forward, n_members=2).values(
        params, {}, source, split="test", batch_size=batch_size
    )
    assert [values[1][-1] for values in found] == [5.0, 15.0]


def test_no_gradient_is_recorded() -> None:
    network = build_network(Toy(), TASKS, Key("7"))
    of_toy(network)
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_value_that_is_not_finite_is_named(value: float) -> None:
    values = [("train", "a", "loss", 1.0), ("test", "b", "error", value), ("test", "c", "x", value)]
    assert first_not_finite(values) == f"test error of task b is {value}"


def test_finite_values_are_nothing_to_name() -> None:
    assert first_not_finite([("train", "a", "loss", 1e308)]) == ""


def metric_values(source: TensorSource, *, batch_size: int) -> list[tuple[str, float]]:
    values = evaluated(NOTHING, source, FUNCTIONS, batch_size=batch_size)
    return [(metric, value) for _, _, metric, value in values]


def of_toy(network: nn.Module) -> list[Value]:
    source = Toy().sources(torch.device("cpu"))["test"]
    functions = {task: Toy().functions(task) for task in TASKS}
    return evaluated(network, source, functions, batch_size=4)


def evaluated(
    network: nn.Module,
    source: TensorSource,
    functions: Mapping[str, TaskFunctions],
    *,
    batch_size: int,
) -> list[Value]:
    evaluation = Evaluation(network, functions)
    for batch in source.batches(None, batch_size, Key("evaluation")):
        evaluation.add(batch)
    return evaluation.values("test")


def test_what_is_not_a_number_is_stored_as_infinity() -> None:
    values = [("test", "left", "loss", math.nan), ("test", "left", "mae", 0.5)]
    validated = [("validation", "left", "loss", 1.0), ("validation", "left", "mae", 1.0)]
    assert storable(values, validated) == [
        ("test", "left", "loss", math.inf),
        ("test", "left", "mae", 0.5),
    ]
