"""A toy of which one part raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tests.toy import Toy
from trainers.protocol import Batch, Source, TaskFunctions
from trainers.randomness import Key

FAILS = [
    ("trunk", "trunk"),
    ("head", "head of task kind"),
    ("loss", "loss of task kind"),
    ("metric", "metric error of task kind"),
    ("test data", "test data"),
]
"""What fails, and what it is called."""


def fails(*_args: object) -> Any:
    raise LookupError("nothing here")


class FailingMetric:
    def statistics(self, output: Tensor, target: Any) -> Tensor:
        return output.sum().reshape(1)

    value = fails


class Layer(nn.Module):
    forward = fails


class FailingSource:
    size = 12

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        if order is None or len(order) < self.size:  # not while the network is looked at
            fails()
        yield from ()


@dataclass(frozen=True, kw_only=True)
class Failing(Toy):
    """A toy of which one part raises."""

    fails: str

    def sources(self, device: torch.device) -> Mapping[str, Source]:  # type: ignore[override]
        found: dict[str, Source] = {**super().sources(device)}
        return {**found, "test": FailingSource()} if self.fails == "test data" else found

    def trunk(self) -> nn.Module:
        return Layer() if self.fails == "trunk" else super().trunk()

    def head(self, task: str) -> nn.Module:
        usual = super().head(task)
        return nn.Sequential(usual, Layer()) if self._is(task, "head") else usual

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        if self._is(task, "loss"):
            return replace(usual, loss=fails)
        if self._is(task, "metric"):
            return replace(usual, metrics={"error": FailingMetric()})
        return usual

    def _is(self, task: str, part: str) -> bool:
        return task == "kind" and self.fails == part
