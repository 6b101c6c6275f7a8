"""How the tests here look at a weighting: its objective and its loss weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
import torch
from torch import Tensor

from trainers.weightings import Weighting

Measure = Callable[..., tuple[Tensor, Tensor]]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
