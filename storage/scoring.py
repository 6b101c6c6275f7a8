"""Which epoch of a run counts, and what it is worth (delta_m): pure functions.

Shapes: E epochs, M metrics of all tasks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

Metric = tuple[str, str, str]
"""Task, name and direction, which is ``min`` or ``max``."""
ByMetric = Mapping[tuple[str, str], T]
"""Something of each metric, by task and name."""


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


def delta_m(
    metrics: Sequence[float], baseline: Sequence[float], directions: Sequence[str]
) -> float:
    """Mean relative change against the baseline in percent; negative is better.

    (100/M) sum_j o_j (m_j - B_j)/|B_j| with o_j = +1 where lower is better, else -1: the formula of
    Maninis et al. (2019) wherever B_j > 0. Divided by a negative B_j, better would become worse.
    The sum is rounded once, so the order of metrics does not matter.

    Args:
        metrics: ``[M]`` values of the run.
        baseline: ``[M]`` values of the single-task networks.
        directions: ``[M]``, ``min`` or ``max``.
    """
    changes = (
        (1.0 if direction == "min" else -1.0) * (value - base) / abs(base)
        for value, base, direction in zip(metrics, baseline, directions, strict=True)
    )
    return 100.0 * math.fsum(changes) / len(metrics)


def delta_m_curve(
    curves: ByMetric[Sequence[float]], baseline: ByMetric[float], metrics: Sequence[Metric]
) -> list[float]:
    """`delta_m` of each epoch ``[E]``.

    Args:
        curves: Values ``[E]`` of each metric; others than `metrics` do not count.
        baseline: Values of the single-task networks on the same split; others likewise.
        metrics: Those that count, ``[M]``.
    """
    names = [(task, metric) for task, metric, _ in metrics]
    base = [baseline[name] for name in names]
    directions = [direction for *_, direction in metrics]
    epochs = zip(*(curves[name] for name in names), strict=True)
    return [delta_m(epoch, base, directions) for epoch in epochs]


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


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean, rounded once, whatever the order."""
    return math.fsum(values) / len(values)
