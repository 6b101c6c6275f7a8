"""The worst relative change of all metrics in percent: `delta_m.py`, copied and changed."""

from __future__ import annotations

from collections.abc import Sequence

from storage.objectives import DirectedMetric, Objective
from storage.objectives.delta_m import delta_m


def objectives(metrics: Sequence[DirectedMetric]) -> list[Objective]:
    return [
        Objective(
            name="worst_change",
            direction="min",
            metrics=tuple(metrics),
            of_epoch=worst_change,
            needs_baseline=True,
            unit="%",
            shown="+.2f",
        )
    ]


def worst_change(
    metrics: Sequence[float], baseline: Sequence[float], directions: Sequence[str]
) -> float:
    changes = zip(metrics, baseline, directions, strict=True)
    return max(delta_m([value], [base], [direction]) for value, base, direction in changes)
