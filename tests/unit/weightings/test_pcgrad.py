"""PCGrad's combination: against TorchJD, and what always holds of it.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchjd.aggregation import PCGradWeighting

from trainers.weightings import MissingNoise, weighting
from trainers.weightings.levels import GramianWeighting

SEEDS = st.integers(0, 2**32)
METHOD = weighting("pcgrad")
assert isinstance(METHOD, GramianWeighting)


def combined(gramian: Tensor, noise: Tensor) -> Tensor:
    return METHOD.combination(gramian, hyper={}, params={}, state={}, noise=noise)


def drawn(n_tasks: int, seed: int) -> tuple[Tensor, Tensor]:
    """Gradients ``[T, P]`` and noise ``[T, T]``."""
    generator = torch.Generator().manual_seed(seed)
    gradients = torch.randn(n_tasks, 5, generator=generator, dtype=torch.float64)
    return gradients, torch.randn(n_tasks, n_tasks, generator=generator)


def ordering(permutations: list[Tensor]) -> Tensor:
    """The noise ``[T, T]`` that orders tasks like this."""
    return torch.stack([permutation.argsort().double() for permutation in permutations])


def projected(gradients: Tensor, noise: Tensor) -> Tensor:
    """Algorithm 1 of the paper as it stands there, on the gradients themselves."""
    update = torch.zeros_like(gradients[0])
    for i, own in enumerate(gradients):
        surgery = own.clone()
        for j in noise[i].argsort().tolist():
            overlap = surgery @ gradients[j]
            if j != i and overlap < 0:
                surgery -= overlap / (gradients[j] @ gradients[j]) * gradients[j]
        update += surgery
    return update


@given(n_tasks=st.integers(1, 8), seed=SEEDS)
def test_it_is_torchjds_in_the_same_order(n_tasks: int, seed: int) -> None:
    gradients, _ = drawn(n_tasks, seed)
    torch.manual_seed(seed)
    noise = ordering([torch.randperm(n_tasks) for _ in range(n_tasks)])
    torch.manual_seed(seed)
    expected = PCGradWeighting()(gradients @ gradients.T)
    torch.testing.assert_close(combined(gradients @ gradients.T, noise), expected)


@given(n_tasks=st.integers(1, 8), seed=SEEDS)
def test_the_update_is_the_papers_algorithm(n_tasks: int, seed: int) -> None:
    gradients, noise = drawn(n_tasks, seed)
    update, weights = METHOD.update(gradients, hyper={}, params={}, state={}, noise=noise)
    torch.testing.assert_close(update, projected(gradients, noise))
    torch.testing.assert_close(weights @ gradients, update)


@given(n_tasks=st.integers(1, 8), seed=SEEDS)
def test_no_coefficient_is_below_one(n_tasks: int, seed: int) -> None:
    gradients, noise = drawn(n_tasks, seed)
    assert (combined(gradients @ gradients.T, noise) >= 1).all()


@given(n_tasks=st.integers(1, 8), seed=SEEDS)
def test_without_conflict_it_is_the_plain_sum(n_tasks: int, seed: int) -> None:
    gradients, noise = drawn(n_tasks, seed)
    agreeing = gradients.abs()
    assert combined(agreeing @ agreeing.T, noise).tolist() == [1.0] * n_tasks


@given(n_tasks=st.integers(1, 8), seed=SEEDS)
def test_it_is_blind_to_the_order_of_tasks(n_tasks: int, seed: int) -> None:
    gradients, noise = drawn(n_tasks, seed)
    moved = torch.arange(n_tasks).roll(1).flip(0)
    found = combined((gradients @ gradients.T)[moved][:, moved], noise[moved][:, moved])
    torch.testing.assert_close(found, combined(gradients @ gradients.T, noise)[moved])


@given(n_tasks=st.integers(1, 8), seed=SEEDS)
def test_it_does_not_see_the_unit_of_all_losses(n_tasks: int, seed: int) -> None:
    gradients, noise = drawn(n_tasks, seed)
    gramian = gradients @ gradients.T
    torch.testing.assert_close(combined(1e6 * gramian, noise), combined(gramian, noise))


def test_two_tasks_by_hand() -> None:
    # <g1, g2> = -1, |g1|^2 = 1, |g2|^2 = 2: g1 + g2 / 2, and g2 + g1
    gradients = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
    update, weights = METHOD.update(
        gradients, hyper={}, params={}, state={}, noise=torch.zeros(2, 2)
    )
    assert weights.tolist() == [2.0, 1.5]
    assert update.tolist() == [0.5, 1.5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [0.0, 1e-18, 1e-12, 1e12])
def test_gradients_of_zero_and_tiny_and_huge_ones_stay_finite(
    size: float, dtype: torch.dtype
) -> None:
    gradients, noise = drawn(4, 0)
    gradients[1] *= size
    gradients = gradients.to(dtype)
    assert combined(gradients @ gradients.T, noise).isfinite().all()


def test_a_task_without_a_gradient_changes_nothing_for_the_others() -> None:
    gradients, noise = drawn(4, 0)
    gradients[2] = 0.0
    others = [0, 1, 3]
    found = combined(gradients @ gradients.T, noise)
    left = gradients[others]
    torch.testing.assert_close(
        found[others], combined(left @ left.T, noise[others][:, others]), rtol=1e-12, atol=0
    )


def test_without_noise_it_is_refused() -> None:
    with pytest.raises(MissingNoise, match=r"noise of shape \[3, 3\]"):
        METHOD.combination(torch.eye(3), hyper={}, params={}, state={}, noise=None)
