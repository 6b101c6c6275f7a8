"""Methods that TorchJD has as well: the same update, whatever the gradients' size.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchjd import aggregation as peers

from tests.unit.weightings.gradient_cases import SEEDS, drawn, promised, step

Peer = Callable[[Tensor], Tensor]
PEERS: dict[str, Callable[[], Peer]] = {
    "cagrad": lambda: peers.CAGrad(c=0.5),
    "imtl-g": peers.IMTLG,
    "mgda": peers.MGDA,
    "aligned-mtl": peers.AlignedMTL,
    "config": peers.ConFIG,
    "fairgrad": lambda: peers.FairGrad(alpha=1.0),
}


@pytest.mark.parametrize("name", PEERS)
@given(n_tasks=st.integers(1, 6), seed=SEEDS)
@promised
def test_the_update_is_the_peers(name: str, n_tasks: int, seed: int) -> None:
    gradients = drawn(n_tasks, seed, scale=10.0)
    found = step(name, gradients)
    expected = PEERS[name]()(gradients)
    torch.testing.assert_close(found.update, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.weights @ gradients, found.update)


@pytest.mark.parametrize("name", ["cagrad", "imtl-g", "mgda", "aligned-mtl", "config", "upgrad"])
@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_gradients_of_any_size_are_combined_alike(name: str, scale: float) -> None:
    gradients = drawn(4, 0)
    found, scaled = step(name, gradients), step(name, scale * gradients)
    torch.testing.assert_close(scaled.weights, found.weights, rtol=1e-6, atol=1e-6)


def test_gradvac_is_the_peers_over_steps_in_the_same_orders() -> None:
    torch.manual_seed(0)
    for n_tasks in (1, 2, 5):
        peer, state = peers.GradVac(beta=0.3), None
        for seed in range(8):
            gradients = drawn(n_tasks, seed)
            torch.manual_seed(seed)
            orders = [others(n_tasks, task) for task in range(n_tasks)]
            noise = torch.stack([place_of(order, n_tasks) for order in orders])
            found = step("gradvac", gradients, state=state, noise=noise, beta=0.3)
            state = dict(found.state)
            torch.manual_seed(seed)
            expected = peer(gradients)
            torch.testing.assert_close(found.update, expected, rtol=1e-5, atol=1e-5)


def others(n_tasks: int, task: int) -> list[int]:
    """In which order the peer meets the other tasks."""
    left = [other for other in range(n_tasks) if other != task]
    return [left[place] for place in torch.randperm(len(left)).tolist()]


def place_of(order: list[int], n_tasks: int) -> Tensor:
    """The noise ``[T]`` that puts tasks in this order."""
    noise = torch.zeros(n_tasks)
    for place, task in enumerate(order):
        noise[task] = place
    return noise


@pytest.mark.parametrize("tau", [0.02, 0.5, 1.0])
@given(n_tasks=st.integers(1, 5), seed=SEEDS)
@promised
def test_pcd_is_the_peers_over_steps(tau: float, n_tasks: int, seed: int) -> None:
    peer, state = peers.PCD(tau=tau, beta=0.9), None
    for number in range(4):
        gradients = drawn(n_tasks, seed + number)
        found = step("pcd", gradients, state=state, tau=tau, beta=0.9)
        state = dict(found.state)
        torch.testing.assert_close(found.update, peer(gradients), rtol=1e-4, atol=1e-4)


def test_the_primary_task_of_pcd_is_the_one_of_the_highest_priority() -> None:
    gradients = drawn(3, 1)
    first = step("pcd", gradients[[2, 0, 1]]).weights[[1, 2, 0]]
    found = step("pcd", gradients, priority=[1.0, 0.0, 2.0]).weights
    torch.testing.assert_close(found, first)


def test_graddrop_drops_as_the_peer_does_with_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gradients, leak = drawn(3, 0), [0.0, 0.25, 1.0]
    drawn_ = torch.rand(gradients.shape[1], dtype=torch.float64)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: drawn_)
    monkeypatch.setattr("trainers.weightings.graddrop._uniform", lambda *_: drawn_)
    expected = peers.GradDrop(leak=torch.tensor(leak, dtype=torch.float64))(gradients)
    found = step("graddrop", gradients, noise=torch.zeros(3, 3), leak=leak)
    torch.testing.assert_close(found.update, expected)


def test_what_the_reference_says_of_the_peer_is_so() -> None:
    """When this fails, TorchJD has been mended: docs/methods_reference.py says otherwise."""
    gradients = drawn(3, 0)
    small = 1e-4 * gradients / gradients.norm(dim=-1, keepdim=True)
    assert not peers.CAGrad(c=0.5)(small).any()
    weights = peers.FairGradWeighting(alpha=1.0)(small @ small.mT)
    gains = small @ small.mT @ weights * weights  # should be 1
    assert gains.max() < 0.5
