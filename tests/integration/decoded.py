"""A toy problem whose samples are decoded batch by batch, and which notes each pass over them.

A spec names it ``decoded:Decoded``; copies of this file and of ``toy.py`` lie beside the spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from toy import Toy

from trainers.problems import TensorSource
from trainers.protocol import Batch
from trainers.randomness import Key

NOTES = "passes.txt"


@dataclass(frozen=True)
class Source:
    """Samples with noise of their own."""

    whole: TensorSource
    notes: Path
    streamed: bool

    @property
    def size(self) -> int:
        return self.whole.size

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        with self.notes.open("a") as file:
            file.write(f"{key.path}\n")
        chosen = torch.arange(self.size) if order is None else order
        for rows in chosen.split(batch_size):
            inputs = torch.stack([self._decoded(int(row), key) for row in rows])
            yield Batch(inputs, {task: of_all[rows] for task, of_all in self.whole.targets.items()})

    def _decoded(self, row: int, key: Key) -> Tensor:
        noise = torch.randn(3, generator=(key / row).generator())
        return self.whole.inputs[row] + 0.1 * noise


@dataclass(frozen=True, kw_only=True)
class Decoded(Toy):
    """The toy problem with such sources.

    Attributes:
        streamed: Whether they say so.
    """

    streamed: bool = True

    def sources(self, device: torch.device) -> Mapping[str, Source]:  # type: ignore[override]
        notes = Path(__file__).with_name(NOTES)
        return {
            split: Source(whole, notes, self.streamed)
            for split, whole in super().sources(device).items()
        }
