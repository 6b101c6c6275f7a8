"""delta_m: how much better or worse than single-task networks, on average over all metrics.

This is the file to copy for another number to rank by.

Shapes: M metrics of all tasks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from storage.objectives._objective import DirectedMetric, Objective

NAME = "delta_m"
SYMBOL = "Δm"


def objectives(metrics: Sequence[DirectedMetric]) -> list[Objective]:
    """What trials can be ranked by, given these metrics ``[M]``."""
    return [
        Objective(
            name=NAME,
            direction="min",
            metrics=tuple(metrics),
            of_epoch=delta_m,
            needs_baseline=True,
            unit="%",
            symbol=SYMBOL,
            shown="+.2f",
        )
    ]


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
