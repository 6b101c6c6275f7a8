"""A toy problem whose samples are made one by one, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from tests.toy import Toy
from trainers.problems import TensorSource
from trainers.protocol import Batch
from trainers.randomness import Key

Made = Counter[tuple[str, int]]


@dataclass(frozen=True)
class Decoded:
    """Samples that are made one by one, with noise of their own.

    Attributes:
        broken_at: Sample that cannot be made, from epoch 2 on.
        made: How often each sample was made, by the key it was made for.
        streamed: Whether to say so.
    """

    whole: TensorSource
    broken_at: int = -1
    made: Made = field(default_factory=Counter)
    streamed: bool = True

    @property
    def size(self) -> int:
        return self.whole.size

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        chosen = torch.arange(self.size) if order is None else order
        for rows in chosen.split(batch_size):
            inputs = torch.stack([self._decoded(int(row), key) for row in rows])
            targets = {task: of_all[rows] for task, of_all in self.whole.targets.items()}
            yield Batch(inputs, targets)

    def _decoded(self, row: int, key: Key) -> Tensor:
        self.made[key.path, row] += 1
        if row == self.broken_at and key.path.endswith("augment/2"):
            raise OSError(f"sample {row} is torn")
        noise = torch.randn(3, generator=(key / row).generator())
        return self.whole.inputs[row] + 0.1 * noise


@dataclass(frozen=True, kw_only=True)
class Decoding(Toy):
    """The toy problem with decoded samples, normalisation, and dropout in the heads.

    Attributes:
        streamed: Whether its sources say so.
        broken_at: Sample for training that cannot be made.
        made: How often samples were made, by split.
    """

    streamed: bool = True
    broken_at: int = -1
    made: dict[str, Made] = field(default_factory=dict, compare=False)

    def sources(self, device: torch.device) -> Mapping[str, Decoded]:  # type: ignore[override]
        found = {
            split: Decoded(
                whole,
                broken_at=self.broken_at if split == "train" else -1,
                streamed=self.streamed,
            )
            for split, whole in super().sources(device).items()
        }
        self.made.update({split: source.made for split, source in found.items()})
        return found

    def trunk(self) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh())

    def head(self, task: str) -> nn.Module:
        return nn.Sequential(nn.Dropout(self.dropout), super().head(task))
