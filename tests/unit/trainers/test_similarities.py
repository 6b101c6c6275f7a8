"""How alike gradients are: bounds for all, and the values of a linear model by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from trainers.engines.conflicts.linear_trunk import LinearTrunk
from trainers.engines.conflicts.meter import pairs
from trainers.engines.conflicts.sample_gradients import SampleGradients
from trainers.engines.conflicts.similarities import Products, products, similarities
from trainers.network import MultiTaskNetwork
from trainers.protocol import Batch, TaskFunctions

_NUMBERS = st.floats(-1e3, 1e3, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3)
_TWO = st.integers(1, 5).flatmap(
    lambda n: st.tuples(*[st.lists(_NUMBERS, min_size=n, max_size=n)] * 2)
)


def _alike(first: list[float], second: list[float]) -> tuple[float, float, float, bool]:
    both = torch.tensor([[first, second]], dtype=torch.float64)
    of = similarities(products([both]), torch.tensor([0]), torch.tensor([1]), len(first))
    return of.cosine.item(), of.magnitude.item(), of.opposite.item(), bool(of.exist.item())


class TestSimilarities:
    @given(_TWO)
    def test_stay_within_their_bounds(self, two: tuple[list[float], list[float]]) -> None:
        cosine, magnitude, opposite, exist = _alike(*two)
        assert exist == (any(two[0]) and any(two[1]))
        assert not exist or (-1 <= cosine <= 1 and 0 < magnitude <= 1)
        assert 0 <= opposite <= 1

    @given(_TWO, st.floats(0.01, 100))
    def test_length_changes_neither_direction_nor_signs(
        self, two: tuple[list[float], list[float]], by: float
    ) -> None:
        first, second = two
        before, after = _alike(first, second), _alike(first, [by * x for x in second])
        assert after[2:] == before[2:]
        assert not before[3] or after[0] == pytest.approx(before[0], abs=1e-9)

    @given(_TWO)
    def test_what_is_turned_round_is_opposite(self, two: tuple[list[float], list[float]]) -> None:
        first, _ = two
        cosine, magnitude, opposite, exist = _alike(first, [-x for x in first])
        assert opposite == sum(x != 0 for x in first) / len(first)
        assert not exist or (cosine, magnitude) == pytest.approx((-1.0, 1.0))


def test_pairs_are_all_of_tasks_then_all_of_samples() -> None:
    first, second, n_tasks = pairs(3, 2)
    assert [*zip(first, second, strict=True)] == [
        *[(0, 1), (2, 3), (4, 5)],
        *[(0, 2), (0, 4), (2, 4), (1, 3), (1, 5), (3, 5)],
    ]
    assert n_tasks == 3


@dataclass
class Linear:
    """A linear trunk of two outputs under heads that are fixed numbers, and squared errors."""

    weight = np.array([[1.0, -2.0, 0.5], [0.25, 1.0, -1.0]])
    bias = np.array([0.5, -0.25])
    heads = np.array([[2.0, 0.0], [1.0, -1.0]])
    inputs = np.array([[1.0, 2.0, 0.0], [-1.0, 0.5, 3.0], [0.0, 0.0, 1.0]])
    targets = np.array([[1.1, -1.2], [0.3, 2.4], [3.1, 0.7]])

    def gradients(self) -> np.ndarray:
        """``[S, T, P]``, by hand."""
        found = np.empty((3, 2, 8))
        for s, x in enumerate(self.inputs):
            features = self.weight @ x + self.bias
            for t, head in enumerate(self.heads):
                back = 2 * (head @ features - self.targets[s, t]) * head
                found[s, t] = [*np.outer(back, x).ravel(), *back]
        return found

    def network(self) -> MultiTaskNetwork:
        network = MultiTaskNetwork(
            nn.Sequential(nn.Linear(3, 2)), {t: nn.Linear(2, 1, bias=False) for t in "ab"}
        )
        with torch.no_grad():
            network.trunk[0].weight.copy_(torch.tensor(self.weight))
            network.trunk[0].bias.copy_(torch.tensor(self.bias))
            for task, head in zip("ab", self.heads, strict=True):
                network.heads[task].weight.copy_(torch.tensor(head[None]))
        return network

    def batch(self) -> Batch:
        columns = torch.tensor(self.targets, dtype=torch.float32)
        targets = {task: columns[:, place] for place, task in enumerate("ab")}
        return Batch(torch.tensor(self.inputs, dtype=torch.float32), targets)


def _squared(output: Tensor, target: Tensor) -> Tensor:
    return (output.squeeze(-1) - target).square().mean()


def _branching(output: Tensor, target: Tensor) -> Tensor:
    """The same, which `torch.func.vmap` does not take."""
    return _squared(output, target) if float(output.detach().sum()) < 1e9 else output.sum()


FUNCTIONS = {task: TaskFunctions(loss=_squared, metrics={}) for task in "ab"}


def _by_hand(n_runs: int) -> Products:
    gradients = Linear().gradients().reshape(6, 8)
    opposite = [[sum(a * b < 0) for b in gradients] for a in gradients]
    return Products(
        inner=torch.tensor(gradients @ gradients.T).expand(n_runs, 6, 6).float(),
        opposite=torch.tensor(opposite).expand(n_runs, 6, 6).float(),
    )


def _tensors(network: MultiTaskNetwork, n_runs: int) -> dict[str, Tensor]:
    return {
        name: of.detach().expand(n_runs, *of.shape).clone()
        for name, of in network.named_parameters()
    }


def _assert_by_hand(found: Products, n_runs: int) -> None:
    expected = _by_hand(n_runs)
    torch.testing.assert_close(found.inner, expected.inner, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(found.opposite, expected.opposite)


@pytest.mark.parametrize("n_runs", [1, 2])
class TestALinearModel:
    def test_by_one_pass_over_all_rows(self, n_runs: int) -> None:
        linear = Linear()
        network = linear.network()
        gradients = SampleGradients(network, FUNCTIONS)
        (parts,) = gradients.parts(_tensors(network, n_runs), linear.batch(), ["a", "b"])
        assert not gradients.one_by_one
        assert gradients.n_coordinates == 8
        _assert_by_hand(products(parts), n_runs)

    def test_one_by_one_where_a_loss_wants_it(self, n_runs: int) -> None:
        linear = Linear()
        network = linear.network()
        functions = {**FUNCTIONS, "b": replace(FUNCTIONS["b"], loss=_branching)}
        gradients = SampleGradients(network, functions)
        (parts,) = gradients.parts(_tensors(network, n_runs), linear.batch(), ["a", "b"])
        assert gradients.one_by_one
        _assert_by_hand(products(parts), n_runs)

    def test_from_what_enters_and_leaves_a_layer(self, n_runs: int) -> None:
        linear = Linear()
        network = linear.network()
        assert LinearTrunk.fits(network)
        trunk = LinearTrunk(network, FUNCTIONS)
        found = trunk.products(_tensors(network, n_runs), linear.batch(), ["a", "b"])
        _assert_by_hand(found, n_runs)


def test_a_trunk_with_more_than_linear_layers_takes_the_long_way() -> None:
    for odd in (nn.BatchNorm1d(2), nn.Conv1d(1, 1, 1)):
        heads = {"a": nn.Linear(2, 1)}
        assert not LinearTrunk.fits(MultiTaskNetwork(nn.Sequential(nn.Linear(3, 2), odd), heads))


def test_by_hand_agrees_with_the_formula() -> None:
    gradients = Linear().gradients().reshape(6, 8)
    of = _by_hand(1)
    places = [*combinations(range(6), 2)]
    first, second = (torch.tensor(side) for side in zip(*places, strict=True))
    found = similarities(of, first, second, 8)
    for place, (a, b) in enumerate(places):
        one, other = (np.linalg.norm(gradients[at]) for at in (a, b))
        cosine = gradients[a] @ gradients[b] / (one * other)
        assert found.cosine[0, place].item() == pytest.approx(cosine, abs=1e-5)
        magnitude = 2 * one * other / (one**2 + other**2)
        assert found.magnitude[0, place].item() == pytest.approx(magnitude, rel=1e-5)
