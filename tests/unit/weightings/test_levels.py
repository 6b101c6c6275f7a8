"""What holds, beside their contract, of methods that see more of a step than its losses.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from trainers.weightings import names, weighting
from trainers.weightings.levels import AfterStepWeighting, GradientWeighting, state_shape

METHODS = [weighting(name) for name in (*names(), "tests.methods:Agreeing")]
GRADIENT = [method for method in METHODS if isinstance(method, GradientWeighting)]
AFTER_STEP = [method for method in METHODS if isinstance(method, AfterStepWeighting)]
of_gradients = pytest.mark.parametrize("method", GRADIENT, ids=lambda method: method.name)
after_steps = pytest.mark.parametrize("method", AFTER_STEP, ids=lambda method: method.name)
cases = given(
    n_tasks=st.integers(1, 6),
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)


def inputs(
    method: GradientWeighting | AfterStepWeighting, n_tasks: int, dtype: torch.dtype
) -> dict[str, dict[str, Tensor]]:
    """Default hyperparameters, and what is learned and kept as it starts."""
    checked = method.checked({}, n_tasks)

    def starts(values: Mapping[str, float]) -> dict[str, Tensor]:
        return {
            name: torch.full(state_shape(method, name, n_tasks, 7), of, dtype=dtype)
            for name, of in values.items()
        }

    return {
        "hyper": {name: torch.tensor(of, dtype=dtype) for name, of in checked.items()},
        "params": starts(method.params(checked)),
        "state": starts(method.state(checked)),
    }


def updated(
    method: GradientWeighting, gradients: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    n_tasks = len(gradients)
    noise = torch.randn(n_tasks, n_tasks, generator=generator) if method.noise else None
    losses = 0.5 + torch.rand(n_tasks, generator=generator, dtype=gradients.dtype)
    given = inputs(method, n_tasks, gradients.dtype)
    return method.update(gradients, losses=losses, noise=noise, **given)


TO_THE_MEAN = {
    **dict.fromkeys(("aligned-mtl", "imtl-g", "mgda", "pcd", "upgrad"), 1.0),
    "cagrad": 1.5,  # 1 + c
}
"""What of their mean gradient is the update of tasks that agree; of all others it is T."""
OF_OTHER_LENGTH = ("nash-mtl", "fairgrad", "db-mtl")


@of_gradients
@cases
def test_tasks_of_one_gradient_all_get_their_plain_sum_or_mean(
    method: GradientWeighting, n_tasks: int, seed: int, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(seed)
    gradients = torch.randn(1, 7, generator=generator, dtype=dtype).expand(n_tasks, 7)
    update, weights = updated(method, gradients, generator)
    share = TO_THE_MEAN.get(method.name, float(n_tasks)) / n_tasks
    if method.name in OF_OTHER_LENGTH:
        share = float(weights[0])
    # many coefficients are as good: solvers stop at one that is as far from others as they are told
    spread = 1e-3 if method.name in {"mgda", "cagrad"} else 1e-5
    torch.testing.assert_close(update, share * gradients.sum(0), rtol=spread, atol=spread)
    if method.name not in {"cagrad", "pcd", "mgda"}:
        expected = torch.full_like(weights, share)
        torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-5)


@of_gradients
def test_what_is_differentiated_are_the_losses_and_every_gradient_is_counted(
    method: GradientWeighting,
) -> None:
    losses = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    given = inputs(method, 3, torch.float32)
    (weights,) = torch.autograd.grad(method.objective(losses, noise=None, **given), [losses])
    of_logarithms = method.name == "db-mtl"
    assert weights.tolist() == ([1.0, 0.5, 0.25] if of_logarithms else [1.0, 1.0, 1.0])
    assert (method.grad_evals(3), method.forward_passes) == (3, 1)


@after_steps
@cases
def test_after_a_step_the_state_is_another(
    method: AfterStepWeighting, n_tasks: int, seed: int, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(seed)
    given_ = inputs(method, n_tasks, dtype)
    state = given_["state"]
    before, after = 1e-9 + torch.rand(2, n_tasks, generator=generator, dtype=dtype)
    found = method.after_step(state, before, after, hyper=given_["hyper"])
    assert any(not torch.equal(found[name], value) for name, value in state.items())


@after_steps
def test_a_step_counts_one_gradient_and_its_passes(method: AfterStepWeighting) -> None:
    passes = {"famo": 2, "go4align": 1}
    assert (method.grad_evals(3), method.forward_passes) == (1, passes[method.name])
