"""The multi-layer perceptron: flatten, then linear layers with ReLU between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


class Mlp(nn.Sequential):
    """A trunk of fully connected layers, each followed by a ReLU.

    Maps ``[B, ...]`` with `in_features` numbers a sample to ``[B, out_features]``. With `dropout`,
    that share of each layer's features is dropped in training.

    Attributes:
        out_features: Width of the last layer: what a head takes.
    """

    def __init__(self, in_features: int, widths: Sequence[int], *, dropout: float = 0.0) -> None:
        sizes = [in_features, *widths]
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
            layers += [nn.Dropout(dropout)] if dropout else []
        super().__init__(*layers)
        self.out_features = sizes[-1]


def linear_head(in_features: int, out_features: int) -> nn.Linear:
    """A head of one layer: ``[B, in_features]`` to logits or values ``[B, out_features]``."""
    return nn.Linear(in_features, out_features)
