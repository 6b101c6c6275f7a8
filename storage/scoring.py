"""Which epoch of a run counts: pure functions.

Shapes: E epochs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How a run's epoch is selected: ``best`` by validation, ``last``, or mean of the last `k`.

    Attributes:
        k: Epochs whose mean is taken; 1 for the two others.
    """

    rule: str = "best"
    k: int = 1

    @classmethod
    def of(cls, written: str) -> Self:
        """The one that a spec's ``select_epoch`` names, such as ``mean_last_5``."""
        rule, _, k = written.rpartition("_")
        return cls(rule=rule, k=int(k)) if rule else cls(rule=written)


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
    k = min(selection.k, n)
    return Score(
        epoch=n,
        validation=math.fsum(validation[-k:]) / k,
        test=math.fsum(test[-k:]) / k,
    )


def at_epoch(values: Sequence[float], epoch: int, *, selection: Selection) -> float:
    """What values ``[E]`` are at an epoch, from 1, that was selected by others."""
    return mean(values[max(epoch - selection.k, 0) : epoch])


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean, rounded once, whatever the order."""
    return math.fsum(values) / len(values)
