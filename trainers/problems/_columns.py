"""From columns of a table to tensors: inputs near 0 and 1, targets in their own units.

Shapes: N rows, F inputs, T targets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trainers.problems._source import TensorSource
from trainers.problems.files.table_file import Columns, Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """Means and standard deviations of training rows.

    Attributes:
        inputs: Of each input, ``[F]`` each; a spread of 0 counts as 1.
        targets: Of each target, ``[T]`` each, of the cells that are there.
    """

    inputs: tuple[Numbers, Numbers]
    targets: tuple[Numbers, Numbers]

    def of_target(self, number: int) -> tuple[float, float]:
        """Mean and spread of a target, to three digits: the same on every machine."""
        centre, spread = (float(of[number]) for of in self.targets)
        return float(f"{centre:.3g}"), float(f"{spread:.3g}")

    def resolution(self, number: int) -> float:
        """What errors of a target are rounded to 6e-8 of: a power of two, at most 1."""
        return min(1.0, 2.0 ** math.floor(math.log2(self.of_target(number)[1])))


def scales_of(
    columns: Columns, train: Sequence[int], kept: Mapping[int, Sequence[int]] | None = None
) -> Scales:
    """Scales of the training rows.

    Args:
        kept: Number of a target to those of the training rows whose cells may be looked at, from 0
            on; of other targets these are all.
    """
    inputs, targets = columns.inputs[[*train]], columns.targets[[*train]]
    for target, rows in (kept or {}).items():
        hidden = np.ones(len(train), bool)
        hidden[[*rows]] = False
        targets[hidden, target] = np.nan
    known = ~np.isnan(targets)
    n = known.sum(axis=0).clip(min=1)
    mean = np.where(known, targets, 0.0).sum(axis=0) / n
    spread = np.sqrt((np.where(known, targets - mean, 0.0) ** 2).sum(axis=0) / n)
    return Scales(
        inputs=(inputs.mean(axis=0), _never_zero(inputs.std(axis=0))),
        targets=(mean, _never_zero(spread)),
    )


def column_sources(
    columns: Columns,
    rows: Mapping[str, Sequence[int]],
    *,
    scales: Scales,
    tasks: Sequence[str],
    device: torch.device,
) -> dict[str, TensorSource]:
    """Split, scale, and move to the device: inputs ``[N, F]`` and targets ``[N]``."""
    mean, spread = scales.inputs
    found = {}
    for split, of in rows.items():
        inputs = torch.from_numpy((columns.inputs[[*of]] - mean) / spread)
        targets = torch.from_numpy(columns.targets[[*of]]).to(device, torch.float32)
        found[split] = TensorSource(
            inputs=inputs.to(device, torch.float32),
            targets={task: targets[:, at].contiguous() for at, task in enumerate(tasks)},
        )
    return found


def _never_zero(spread: Numbers) -> Numbers:
    return np.where(spread > 0, spread, 1.0)
