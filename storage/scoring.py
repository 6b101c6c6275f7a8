"""Which epoch of a run counts: pure functions.

Shapes: E epochs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How a run's epoch is selected: ``best`` by validation, ``last``, or mean of the last `k`."""

    rule: str = "best"
    k: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A run's selected epoch, counted from 1, with its validation and test value."""

    epoch: int
    validation: float
    test: float


def select(
    validation: Sequence[float], test: Sequence[float], *, selection: Selection, lower: bool = True
) -> Score:
    """Pick the epoch that counts from values ``[E]`` a split; of equal ones the earliest.

    The mean of the last k epochs is named by the last one.
    """
    n = len(validation)
    if selection.rule == "best":
        sign = 1.0 if lower else -1.0
        epoch = min(range(n), key=lambda e: (sign * validation[e], e))
        return Score(epoch=epoch + 1, validation=validation[epoch], test=test[epoch])
    k = 1 if selection.rule == "last" else min(selection.k, n)
    return Score(
        epoch=n,
        validation=math.fsum(validation[-k:]) / k,
        test=math.fsum(test[-k:]) / k,
    )


def at_epoch(values: Sequence[float], epoch: int, *, selection: Selection) -> float:
    """What values ``[E]`` are at an epoch, from 1, that was selected by others."""
    k = selection.k if selection.rule.startswith("mean_last") else 1
    return mean(values[max(epoch - k, 0) : epoch])


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean, rounded once, whatever the order."""
    return math.fsum(values) / len(values)
