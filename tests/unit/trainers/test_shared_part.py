"""Gradients of tasks on what they share, from a batch that goes through the network in parts."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from trainers.engines.solo.beyond_losses import SharedPart
from trainers.network import MultiTaskNetwork


def network() -> MultiTaskNetwork:
    return MultiTaskNetwork(nn.Linear(3, 2), {"a": nn.Linear(2, 1), "b": nn.Linear(2, 1)})


def terms(of: MultiTaskNetwork, inputs: Tensor) -> Sequence[Tensor]:
    return [output.sum() for output in of(inputs).values()]


def test_parts_add_up_to_the_whole_batch() -> None:
    of, inputs = network(), torch.randn(6, 3)
    whole = SharedPart(of, "PCGrad").gradients([terms(of, inputs)])
    parts = SharedPart(of, "PCGrad").gradients(terms(of, part) for part in inputs.split(2))
    assert torch.allclose(whole, parts, rtol=1e-5)


def test_no_more_than_one_part_is_held_beside_their_sum() -> None:
    of, made = network(), weakref.WeakSet[Tensor]()

    class Watched(SharedPart):
        def _of_piece(self, terms: Sequence[Tensor]) -> Tensor:
            made.add(found := super()._of_piece(terms))
            return found

    def pieces() -> Iterator[Sequence[Tensor]]:
        for part in torch.randn(6, 3).split(1):
            assert len(made) <= 2
            yield terms(of, part)

    Watched(of, "PCGrad").gradients(pieces())
