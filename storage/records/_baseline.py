"""The single-task numbers that delta_m is relative to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineValue:
    """One metric of the baseline on one split; `params` is None for imported numbers."""

    task: str
    metric: str
    split: str
    value: float
    params: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The single-task numbers that delta_m is relative to."""

    hash: str
    source: str
    values: Sequence[BaselineValue]
