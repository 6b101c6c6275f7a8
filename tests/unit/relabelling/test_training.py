"""Trainings from scratch: which weights they begin from, and what labels they see."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.unit.relabelling.blobs import SIZES, TASK, Blobs
from trainers.engines import open_session
from trainers.jobs import Training
from trainers.problems import TensorSource
from trainers.randomness import Key
from trainers.relabelling.training import Relabelled, RunSetup, Trained

ALL = torch.arange(SIZES["train"])


def trained(*, stacked: bool, number: int = 1, n_networks: int = 2) -> Trained:
    asked = RunSetup(
        session=open_session(Blobs(), "cpu"),
        task=TASK,
        training=Training(epochs=2, batch_size=8),
        n_networks=n_networks,
        stacked=stacked,
        lr=0.01,
        seed=0,
    )
    return Trained(asked, ALL % 4, ALL, number, None)


def weights(of: Trained) -> list[Tensor]:
    """Each network's parameters ``[P]``."""
    return [
        torch.cat([param.detach().flatten() for param in network.parameters()])
        for network in of.networks()
    ]


def test_networks_begin_from_weights_of_their_own_stacked_or_not() -> None:
    together, apart = (weights(trained(stacked=stacked)) for stacked in (True, False))
    (alone,) = weights(trained(stacked=False, n_networks=1))
    assert not torch.equal(together[0], together[1])
    assert torch.equal(together[0], alone)
    for ours, theirs in zip(together, apart, strict=True):
        assert torch.equal(ours, theirs)


def test_each_training_of_a_run_begins_anew() -> None:
    first, second = (weights(trained(stacked=False, number=number)) for number in (1, 2))
    assert not torch.equal(first[0], second[0])


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_labels_are_put_in_the_place_and_type_of_the_target(
    dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    target = torch.tensor([0, 1, -1, 1]).to(dtype).view(shape)
    source = TensorSource(torch.zeros(4, 1), {TASK: target, "other": torch.zeros(4)})
    labels = torch.tensor([1, 0, -1, 1])
    order = torch.tensor([3, 2, 0])
    (batch,) = Relabelled(source, TASK, labels).batches(order, 8, Key("t"))
    assert batch.targets[TASK].dtype == dtype
    assert torch.equal(batch.targets[TASK], torch.tensor([1, -1, 1]).to(dtype).view(shape))
    assert torch.equal(batch.targets["other"], torch.zeros(3))
