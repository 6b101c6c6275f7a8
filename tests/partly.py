"""The toy problem with labels that are missing, in whole batches too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from tests.toy import Toy
from trainers.problems import TensorSource, valid_elements
from trainers.protocol import TaskFunctions


@dataclass(frozen=True, kw_only=True)
class Partly(Toy):
    """A class every sixth sample, a level every fourth; flags are all there and count nothing.

    The loss of classes is torch's, a mean over nothing where a batch has none: not a number.

    Attributes:
        counts: Tasks count their valid elements.
        bare: Split without any class; empty for none.
    """

    counts: bool = True
    bare: str = ""

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        found = super().sources(device)
        return {split: _thinned(source, split == self.bare) for split, source in found.items()}

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        if task == "kind":
            usual = replace(usual, loss=_strict)
        return replace(usual, valid_elements=valid_elements) if self.counts_of(task) else usual

    def counts_of(self, task: str) -> bool:
        return self.counts and task != "flag"


def _strict(output: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(output, target, ignore_index=-1)


def _thinned(source: TensorSource, bare: bool) -> TensorSource:
    number = torch.arange(source.size)
    kind = torch.where((number % 6 == 0) & ~torch.tensor(bare), source.targets["kind"], -1)
    level = torch.where(number % 4 == 1, source.targets["level"], torch.nan)
    return TensorSource(source.inputs, {**source.targets, "kind": kind, "level": level})
