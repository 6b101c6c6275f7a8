"""FAMO's weights over steps of training, against TorchJD's, whose losses are far above 1e-8."""

from __future__ import annotations

import pytest
import torch
from torchjd import scalarization as peers

from trainers.weightings import weighting
from trainers.weightings.levels import AfterStepWeighting

METHOD = weighting("famo")
assert isinstance(METHOD, AfterStepWeighting)


@pytest.mark.parametrize(("rate", "decay"), [(0.025, 1e-3), (0.5, 0.1), (0.1, 0.0)])
def test_it_is_torchjds_over_steps(rate: float, decay: float) -> None:
    peer = peers.FAMO(3, lr=rate, weight_decay=decay).double()
    hyper = {name: torch.tensor(of) for name, of in (("rate", rate), ("decay", decay))}
    state = {name: torch.full((3,), of).double() for name, of in METHOD.state({}).items()}
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        before, after = (0.5 + torch.rand(2, 3, generator=generator, dtype=torch.float64)).unbind()
        found = []
        for objective in (lambda of: METHOD.objective(of, state=state), peer):  # noqa: B023
            leaf = before.clone().requires_grad_()
            found.append(torch.autograd.grad(objective(leaf), leaf)[0])
        torch.testing.assert_close(*found, rtol=1e-6, atol=0)
        torch.testing.assert_close(found[0].sum(), torch.ones_like(found[0].sum()))
        peer.update(after)
        state = dict(METHOD.after_step(state, before, after, hyper=hyper))


def test_a_task_that_gained_less_gets_more() -> None:
    hyper = {"rate": torch.tensor(0.025), "decay": torch.tensor(0.0)}
    state = {name: torch.full((2,), of) for name, of in METHOD.state({}).items()}
    found = METHOD.after_step(state, torch.ones(2), torch.tensor([0.5, 0.9]), hyper=hyper)
    # Adam's first step is the rate, up or down.
    torch.testing.assert_close(found["w"], torch.tensor([-0.025, 0.025]))
    assert state["w"].tolist() == [0.0, 0.0]
