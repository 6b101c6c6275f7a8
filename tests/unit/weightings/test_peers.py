"""The weightings that TorchJD has as well: same objective, same weights.

TorchJD's conventions are ours: UW learns a log-variance and halves, IMTL-L does neither, DWA's
weights sum to T.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchjd import scalarization as peers

from trainers.testing import measured
from trainers.weightings import weighting

VECTORS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(1e-3, 1e3), min_size=n, max_size=n),
        st.lists(st.floats(-3.0, 3.0), min_size=n, max_size=n),
    )
)
promised = settings(max_examples=15, deadline=None)


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def weighed(peer: Any, losses: Tensor) -> tuple[Tensor, Tensor]:
    leaf = losses.clone().requires_grad_()
    objective = peer(leaf)
    (weights,) = torch.autograd.grad(objective, [leaf])
    return objective.detach(), weights


def learned(peer: Any, values: Tensor) -> Any:
    (parameter,) = peer.parameters()
    parameter.data = values
    return peer


@given(vectors=VECTORS)
@promised
def test_ew_is_sum(vectors: Any) -> None:
    losses = tensor(vectors[0])
    torch.testing.assert_close(measured(weighting("ew"), losses), weighed(peers.Sum(), losses))


@given(vectors=VECTORS)
@promised
def test_scalarization_is_constant(vectors: Any) -> None:
    losses, weights = tensor(vectors[0]), tensor(vectors[1]).softmax(-1)
    ours = measured(weighting("scalarization"), losses, hyper={"task_weights": weights})
    torch.testing.assert_close(ours, weighed(peers.Constant(weights), losses))


@given(vectors=VECTORS)
@promised
def test_gls_is_geometric_mean(vectors: Any) -> None:
    losses = tensor(vectors[0])
    ours = measured(weighting("gls"), losses)
    torch.testing.assert_close(ours, weighed(peers.GeometricMean(), losses))


@given(vectors=VECTORS)
@promised
def test_uw_is_uw(vectors: Any) -> None:
    losses, s = tensor(vectors[0]), tensor(vectors[1])
    ours = measured(weighting("uw"), losses, params={"s": s})
    torch.testing.assert_close(ours, weighed(learned(peers.UW(len(s)), s), losses))


@given(vectors=VECTORS)
@promised
def test_imtl_l_is_imtl_l(vectors: Any) -> None:
    losses, s = tensor(vectors[0]), tensor(vectors[1])
    ours = measured(weighting("imtl-l"), losses, params={"s": s})
    torch.testing.assert_close(ours, weighed(learned(peers.IMTLL(len(s)), s), losses))


@given(vectors=VECTORS)
@promised
def test_imtl_l_is_twice_uw_with_the_sign_of_s_turned(vectors: Any) -> None:
    losses, s = tensor(vectors[0]), tensor(vectors[1])
    ours = measured(weighting("imtl-l"), losses, params={"s": s})
    objective, weights = weighed(learned(peers.UW(len(s)), -s), losses)
    torch.testing.assert_close(ours, (2 * objective, 2 * weights))


@given(vectors=VECTORS, seed=st.integers(0, 2**32))
@promised
def test_rlw_is_random_with_the_same_noise(vectors: Any, seed: int) -> None:
    losses = tensor(vectors[0])
    torch.manual_seed(seed)
    noise = torch.randn(len(losses), dtype=torch.float64)
    torch.manual_seed(seed)
    peer = weighed(peers.Random(), losses)
    torch.testing.assert_close(measured(weighting("rlw"), losses, noise=noise), peer)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 10.0])
def test_dwa_is_dwa_over_five_epochs(temperature: float) -> None:
    method, peer = weighting("dwa"), peers.DWA(temperature)
    hyper = {"temperature": tensor(temperature)}
    state = {name: torch.full((4,), start) for name, start in method.state({}).items()}
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        batches = torch.rand((3, 4), generator=generator, dtype=torch.float64) + 0.1
        for losses in batches:
            ours = measured(method, losses, hyper=hyper, state=state)
            torch.testing.assert_close(ours, weighed(peer, losses))
        peer.step()
        state = dict(method.end_epoch(state, batches.mean(0)))


@given(vectors=VECTORS, mu=st.sampled_from([0.01, 0.5, 1.0, 3.0]))
@promised
def test_stch_is_the_peers_on_logarithms(vectors: Any, mu: float) -> None:
    losses, base = tensor(vectors[0]), tensor(vectors[1]).exp()
    n = len(losses)
    ours = measured(
        weighting("stch"),
        losses,
        hyper={"mu": tensor(mu)},
        state={"left": torch.zeros(n), "base": base},
    )
    leaf = losses.clone().requires_grad_()
    objective = n**2 * peers.STCH(mu / n, reference=base.log())(leaf.log())
    (weights,) = torch.autograd.grad(objective, [leaf])
    torch.testing.assert_close(ours, (objective.detach(), weights))


@given(vectors=VECTORS)
@promised
def test_si_has_the_gradient_of_uw_o(vectors: Any) -> None:
    losses = tensor(vectors[0])
    uw_o = measured(weighting("uw-o"), losses, hyper={"normalise": tensor(0.0)})
    torch.testing.assert_close(measured(weighting("si"), losses)[1], uw_o[1])
