from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tests.unit.problems import dense
from trainers.problems.dense import cosine, valid_directions
from trainers.problems.errors import BadShape


@given(seed=st.integers(0, 2**32))
def test_it_is_torchs_cosine_over_what_is_there(seed: int) -> None:
    output, target = dense.directions(seed)
    there = target.isfinite().all(1) & (target.abs().sum(1) > 0)
    found = functional.cosine_similarity(output, target.nan_to_num(), dim=1)
    torch.testing.assert_close(cosine(output, target), 1 - found[there].mean())
    assert valid_directions(target) == there.sum()


def test_its_gradient_is_torchs() -> None:
    output, target = dense.directions(0)
    leaf, peer = (output.double().requires_grad_() for _ in range(2))
    cosine(leaf, target.double()).backward()
    there = target.isfinite().all(1) & (target.abs().sum(1) > 0)
    similar = functional.cosine_similarity(peer, target.nan_to_num().double(), dim=1)
    (1 - similar[there].mean()).backward()
    torch.testing.assert_close(leaf.grad, peer.grad)


@pytest.mark.parametrize("missing", [0.0, math.nan, math.inf])
def test_missing_directions_get_no_gradient(missing: float) -> None:
    output, target = dense.directions(0)
    target[:2] = missing
    leaf = output.clone().requires_grad_()
    cosine(leaf, target).backward()
    assert leaf.grad is not None
    assert leaf.grad[:2].abs().sum() == 0
    assert leaf.grad.isfinite().all()
    assert leaf.grad.abs().sum() > 0


def test_a_batch_without_directions_says_nothing() -> None:
    output = torch.randn(2, 3, 4, 4, requires_grad=True)
    value = cosine(output, torch.full((2, 3, 4, 4), math.nan))
    value.backward()
    assert value.item() == 0
    assert output.grad is not None
    assert output.grad.abs().sum() == 0
    assert valid_directions(torch.zeros(2, 3, 4, 4)) == 0


def test_an_output_of_no_length_is_no_divergence() -> None:
    output = torch.zeros(1, 3, requires_grad=True)
    value = cosine(output, torch.tensor([[0.0, 0.0, 1.0]]))
    value.backward()
    assert value.item() == 1
    assert output.grad is not None
    assert output.grad.isfinite().all()


def test_a_diverged_output_stays_visible() -> None:
    output, target = dense.directions(0)
    assert cosine(output * math.nan, target).isnan()


def test_a_stack_gives_the_same_bits_as_one_by_one() -> None:
    output, target = dense.directions(5)
    pack = torch.stack([output, 2 * output, -output.flip(0)])
    assert torch.equal(cosine.stacked(pack, target), torch.stack([cosine(o, target) for o in pack]))


def test_other_shapes_are_refused() -> None:
    with pytest.raises(BadShape, match="one shape"):
        cosine(torch.zeros(2, 3, 4), torch.zeros(2, 3))
