"""A problem whose pixels have a class, a depth and a direction; small as the toy problem is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from tests.toy import Toy
from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.nets import ImageNetwork
from trainers.problems import (
    Accuracy,
    MeanAbsoluteError,
    TensorSource,
    cross_entropy,
    l1,
    valid_elements,
)
from trainers.problems.dense import (
    MeanAngle,
    MeanIoU,
    MeanRelativeError,
    MedianAngle,
    WithinAngle,
    cosine,
    valid_directions,
)
from trainers.protocol import Metric, TaskFunctions
from trainers.randomness import Key

DENSE = ("regions", "depths", "directions")
_OUTPUTS = {"regions": 3, "depths": 1, "directions": 3}
_METRICS: dict[str, dict[str, Metric]] = {
    "regions": {"miou": MeanIoU(3), "pixel_accuracy": Accuracy()},
    "depths": {"abs_error": MeanAbsoluteError(), "rel_error": MeanRelativeError()},
    "directions": {
        "mean": MeanAngle(),
        "median": MedianAngle(),
        **{f"within_{limit:g}": WithinAngle(limit) for limit in (11.25, 22.5, 30.0)},
    },
}


@dataclass(frozen=True, kw_only=True)
class Scene(Toy):
    """Small images whose pixels have a class, a depth and a direction, with gaps.

    Attributes:
        network: By name, of little width; empty for a single convolution.
    """

    network: str = ""

    @property
    def card(self) -> ProblemCard:
        return replace(super().card, tasks=tuple(map(_task_card, DENSE)), convolutional=True)

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        return {split: _split(split, size) for split, size in self.card.sizes.items()}

    def trunk(self) -> nn.Module:
        if self.network:
            return self._network.trunk()
        return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())

    def head(self, task: str) -> nn.Module:
        n_outputs = _OUTPUTS[task]
        return self._network.head(n_outputs) if self.network else nn.Conv2d(8, n_outputs, 1)

    @property
    def _network(self) -> ImageNetwork:
        return ImageNetwork(name=self.network, width=4, layers=2)

    def functions(self, task: str) -> TaskFunctions:
        losses = {"regions": cross_entropy, "depths": l1, "directions": cosine}
        count = valid_directions if task == "directions" else valid_elements
        return TaskFunctions(losses[task], _METRICS[task], count)


def _task_card(task: str) -> TaskCard:
    cards = (MetricCard(name=name, title=name, direction="min") for name in _METRICS[task])
    return TaskCard(name=task, title=task, loss="any", metrics=tuple(cards))


def _split(split: str, size: int) -> TensorSource:
    drawn = (Key("scene") / split).generator()
    images = torch.randn(size, 3, 6, 6, generator=drawn, dtype=torch.get_default_dtype())
    gaps = torch.rand(size, 1, 6, 6, generator=drawn) < 0.2
    gaps[::3] = True  # of whole images
    return TensorSource(
        images,
        {
            "regions": torch.where(gaps, -1, images.argmax(1, keepdim=True)).squeeze(1),
            "depths": torch.where(gaps.roll(1, 0), math.nan, images[:, :1].exp()),
            "directions": torch.where(gaps.roll(2, 0), 0.0, images.flip(1)),
        },
    )
