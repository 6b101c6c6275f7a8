"""How the tests here look at a weighting: its objective and its loss weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from trainers.weightings import Weighting

Measure = Callable[..., tuple[Tensor, Tensor]]


@pytest.fixture(scope="session")
def measure() -> Measure:
    """Objective ``[...]`` and weights ``[..., T]`` of a weighting at losses ``[..., T]``."""

    def measure(
        method: Weighting,
        losses: Tensor,
        *,
        hyper: Mapping[str, Tensor] | None = None,
        params: Mapping[str, Tensor] | None = None,
        state: Mapping[str, Tensor] | None = None,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        leaf = losses.detach().clone().requires_grad_()
        objective = method.objective(
            leaf, hyper=hyper or {}, params=params or {}, state=state or {}, noise=noise
        )
        (weights,) = torch.autograd.grad(objective.sum(), [leaf])
        return objective.detach(), weights

    return measure
