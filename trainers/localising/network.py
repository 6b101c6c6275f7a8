"""Trunk, global average pooling, one linear layer: a network whose logit is the mean of a map.

Shapes: B batch, N samples of a split, C channels, h and w of feature maps, H and W of images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainers.errors import NoMaps, TaskMismatch
from trainers.localising.maps import Floats, activation_maps
from trainers.network import build_network
from trainers.problems import bce
from trainers.problems.labels import Auroc, LabelErrorRate
from trainers.protocol import Batch, Metric, Problem, Source
from trainers.randomness import Key


class CamNetwork(nn.Module):
    """Maps inputs to a logit each, ``[B]``.

    Attributes:
        trunk: Gives feature maps ``[B, C, h, w]``.
        layer: From pooled features to the logit.
        trunk_frozen: Whether only the layer is trained.
    """

    def __init__(self, trunk: nn.Module, n_channels: int, *, trunk_frozen: bool = False) -> None:
        super().__init__()
        self.trunk, self.layer = trunk, nn.Linear(n_channels, 1)
        self.trunk_frozen = trunk_frozen

    def train(self, mode: bool = True) -> Self:
        """Set training or inference mode; a frozen trunk stays in the latter."""
        super().train(mode)
        if self.trunk_frozen:
            self.trunk.eval()
        return self

    def forward(self, inputs: Any) -> Tensor:
        """Logits ``[B]``."""
        logits: Tensor = self._logits(self.trunk(inputs))
        return logits

    def with_maps(self, inputs: Any) -> tuple[Tensor, Floats]:
        """Logits ``[B]``, and class activation maps ``[B, h, w]`` on the CPU."""
        features = self.trunk(inputs)
        weights = self.layer.weight.squeeze(0).cpu().numpy()
        return self._logits(features), activation_maps(features.float().cpu().numpy(), weights)

    def _logits(self, features: Tensor) -> Tensor:
        logits: Tensor = self.layer(features.mean(dim=(2, 3))).squeeze(1)
        return logits.float()


def cam_network(problem: Problem, key: Key, inputs: Any) -> CamNetwork:
    """The network of a problem, its trunk as in any other network of this seed.

    Args:
        key: Address of the initial values.
        inputs: Of a batch, by which the trunk shows what it gives.

    Raises:
        NoMaps: Inputs are no images, or the trunk gives no feature maps of them.
    """
    with_trunk = build_network(problem, (), key)
    trunk, frozen = with_trunk.trunk, with_trunk.trunk_frozen
    with torch.random.fork_rng(devices=[]):
        (key / "layer").seed_global()
        with torch.no_grad():
            features = trunk.cpu().eval()(inputs)
        _refuse_unless_maps(features, inputs, problem.card.name)
        return CamNetwork(trunk, features.shape[1], trunk_frozen=frozen)


def _refuse_unless_maps(features: object, inputs: object, name: str) -> None:
    if not (isinstance(inputs, Tensor) and inputs.ndim == 4):
        raise NoMaps(
            f"Trainer `cam` needs images [B, channels, H, W]. Problem {name} gives its trunk "
            f"{_shape(inputs)}. Take a problem of images."
        )
    if not (isinstance(features, Tensor) and features.ndim == 4 and features[0, 0].numel() > 1):
        raise NoMaps(
            f"Trainer `cam` needs a trunk that ends in feature maps [B, C, h, w] of more than one "
            f"place. That of problem {name} gives {_shape(features)}. Let it end before it pools "
            "or flattens them."
        )


def _shape(of: object) -> str:
    return f"{[*of.shape]}" if isinstance(of, Tensor) else type(of).__name__


def labels_of(batch: Batch, task: str) -> Tensor:
    """Labels ``[B]``, 0 or 1, NaN where there is none, in single precision.

    Raises:
        TaskMismatch: The targets are something else.
    """
    target = batch.targets[task]
    if not isinstance(target, Tensor) or target.numel() != len(target):
        raise TaskMismatch(
            f"Trainer `cam` needs a label an image. Targets of task {task} are {_shape(target)}. "
            "Give it one number each, 0 or 1."
        )
    found = target.flatten().float()
    if not target.is_floating_point():
        found = torch.where(target.flatten() == -1, torch.nan, found)
    strange = ~((found == 0) | (found == 1) | found.isnan())
    if strange.any():
        raise TaskMismatch(
            f"Trainer `cam` needs labels that are 0 or 1. Task {task} has {found[strange][0]:g}. "
            "Ask a task of two classes."
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a network has made of a split. It knows no lesions.

    Attributes:
        logits: ``[N]``.
        labels: Of images, ``[N]``; NaN where there is none.
        maps: ``[N, h, w]``, in logits.
        size: H and W.
    """

    logits: Tensor
    labels: Tensor
    maps: Floats
    size: tuple[int, int]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """That an image is diseased, ``[N]``."""
        found: NDArray[np.float64] = self.logits.double().sigmoid().numpy()
        return found

    @property
    def has_diverged(self) -> bool:
        """Whether the network gives something that is no number."""
        return not bool(self.logits.isfinite().all())

    @property
    def n_with(self) -> tuple[int, int]:
        """How many images are labelled 0, and how many 1."""
        return int((self.labels == 0).sum()), int((self.labels == 1).sum())

    def metrics(self) -> dict[str, float]:
        """Metrics of images: ``loss``, ``error_rate``, ``auroc``; the first in nats.

        NaN where there is none: without a label, and of the AUROC without one of each kind.
        """
        metrics: dict[str, Metric] = {"error_rate": LabelErrorRate(), "auroc": Auroc()}
        found = {
            name: float(metric.value(metric.statistics(self.logits, self.labels).double()))
            for name, metric in metrics.items()
        }
        if not any(self.n_with):
            return dict.fromkeys(("loss", *found), math.nan)
        if not all(self.n_with):
            found["auroc"] = math.nan
        return {"loss": float(bce(self.logits, self.labels)), **found}


@torch.no_grad()
def look(network: CamNetwork, source: Source, task: str, *, batch_size: int, key: Key) -> Looked:
    """Let a network judge a split, in its stored order; it evaluates until it trains again.

    Args:
        source: Batches are on the network's device.
    """
    network.eval()
    logits, labels, maps, size = [], [], [], (0, 0)
    for batch in source.batches(None, batch_size, key):
        size = (int(batch.inputs.shape[-2]), int(batch.inputs.shape[-1]))
        of_batch, found = network.with_maps(batch.inputs)
        logits.append(of_batch.cpu())
        labels.append(labels_of(batch, task).cpu())
        maps.append(found)
    return Looked(
        logits=torch.cat(logits), labels=torch.cat(labels), maps=np.concatenate(maps), size=size
    )
