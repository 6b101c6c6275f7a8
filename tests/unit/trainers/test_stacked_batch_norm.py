from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from trainers.engines.fused.layers import make_stackable

CPU = torch.device("cpu")
KINDS = {
    "usual": lambda: nn.BatchNorm1d(4),
    "cumulative": lambda: nn.BatchNorm1d(4, momentum=None),
    "without scale": lambda: nn.BatchNorm1d(4, affine=False),
    "without statistics": lambda: nn.BatchNorm1d(4, track_running_stats=False),
    "of images": lambda: nn.BatchNorm2d(4),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_torchs_own(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    theirs = KINDS[kind]().double()
    if theirs.affine:
        nn.init.normal_(theirs.weight, generator=generator)
        nn.init.normal_(theirs.bias, generator=generator)
    ours = deepcopy(theirs)
    make_stackable(ours, CPU)
    shape = (6, 4, 3, 2) if kind == "of images" else (6, 4)
    for training in (True, True, False):
        theirs.train(training)
        ours.train(training)
        inputs = torch.randn(shape, generator=generator, dtype=torch.float64) * 2 + 1
        torch.testing.assert_close(ours(inputs), theirs(inputs), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-12, atol=1e-12)


def test_one_value_a_channel_cannot_be_normalised() -> None:
    norm = nn.BatchNorm1d(4)
    make_stackable(norm, CPU)
    with pytest.raises(ValueError, match=r"more than one value a channel.*shape \[1, 4\]"):
        norm(torch.zeros(1, 4))
