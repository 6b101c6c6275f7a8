"""Gradients of tasks that methods are tried on, and the inputs of a step.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

from trainers.weightings import weighting
from trainers.weightings.levels import GradientStep, GradientWeighting, state_shape

SEEDS = st.integers(0, 2**32)
promised = settings(max_examples=12, deadline=None)
N_SHARED = 9


def drawn(n_tasks: int, seed: int, scale: float = 1.0) -> Tensor:
    """Gradients ``[T, P]``, of lengths that differ."""
    generator = torch.Generator().manual_seed(seed)
    gradients = torch.randn(n_tasks, N_SHARED, generator=generator, dtype=torch.float64)
    lengths = 10 ** (2 * torch.rand(n_tasks, 1, generator=generator, dtype=torch.float64) - 1)
    return scale * lengths * gradients


def step(
    name: str,
    gradients: Tensor,
    *,
    state: dict[str, Tensor] | None = None,
    noise: Tensor | None = None,
    losses: Tensor | None = None,
    **hyper: Any,
) -> GradientStep:
    """A step in the gradients' dtype; the state as it starts, if none is given."""
    method, n_tasks = weighting(name), len(gradients)
    assert isinstance(method, GradientWeighting)
    checked = method.checked(hyper, n_tasks)
    starts = {
        of: gradients.new_full(state_shape(method, of, n_tasks, gradients.shape[1]), value)
        for of, value in method.state(checked).items()
    }
    return method.step(
        gradients,
        losses=gradients.new_ones(n_tasks) if losses is None else losses,
        hyper={of: gradients.new_tensor(value) for of, value in checked.items()},
        params={},
        state=starts if state is None else state,
        noise=noise,
    )
