"""Problems that cost next to nothing to train, so that what is left is the driver's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems import MeanAbsoluteError, TensorSource, mse
from trainers.protocol import Batch, Source, TaskFunctions
from trainers.randomness import Key

_SPLITS = ("train", "validation", "test")
_SAMPLES, _FEATURES = 8, 4


class Trivial:
    """One batch of eight samples, one linear layer."""

    @property
    def card(self) -> ProblemCard:
        """One regression task."""
        error = MetricCard(name="error", title="Mean absolute error", direction="min")
        return ProblemCard(
            name="trivial",
            title="Trivial",
            kind="synthetic",
            source="made up",
            data_version="1",
            tasks=(TaskCard(name="sum", title="Sum", loss="mean squared error", metrics=(error,)),),
            sizes=dict.fromkeys(_SPLITS, _SAMPLES),
            network="a linear layer",
        )

    def sources(self, device: torch.device) -> Mapping[str, Source]:
        """The same samples in every split."""
        inputs = torch.linspace(0.0, 1.0, _SAMPLES * _FEATURES, device=device)
        inputs = inputs.view(_SAMPLES, _FEATURES)
        return dict.fromkeys(_SPLITS, TensorSource(inputs, {"sum": inputs.sum(1)}))

    def trunk(self) -> nn.Module:
        """Nothing is learned here."""
        return nn.Identity()

    def head(self, _task: str) -> nn.Module:
        """All there is to learn."""
        return nn.Linear(_FEATURES, 1)

    def functions(self, _task: str) -> TaskFunctions:
        """Of the only task."""
        return TaskFunctions(loss=mse, metrics={"error": MeanAbsoluteError()})


@dataclass(frozen=True, slots=True)
class _Paced:
    """A source whose only batch takes its time, as a slow training step would."""

    source: Source
    batch_s: float

    @property
    def size(self) -> int:
        return self.source.size

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        if order is not None:
            time.sleep(self.batch_s)
        yield from self.source.batches(order, batch_size, key)


class Paced(Trivial):
    """The same, an epoch in a tenth of a second."""

    def sources(self, device: torch.device) -> Mapping[str, Source]:
        """Training waits for its batch."""
        sources = super().sources(device)
        return {**sources, "train": _Paced(sources["train"], 0.1)}
