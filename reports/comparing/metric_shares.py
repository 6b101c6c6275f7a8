"""What each metric adds to a method's delta_m, and its share of all that is added up (M14)."""

import math
from collections.abc import Mapping

from reports._once import once_per_study
from reports.comparing.scores import metric_means
from reports.frames import StudyFrames

Key = tuple[str, str]
"""Task and metric."""


@once_per_study
def metric_points(frames: StudyFrames, search: str) -> Mapping[Key, float]:
    """What each metric of the winner adds to delta_m, in points: they sum up to it.

    Empty without a winner that is done on all its seeds, and without a baseline of all metrics.
    """
    base, means = frames.standing_baseline("test"), metric_means(frames, search)
    metrics = {(metric.task, metric.name): metric.sign for metric in frames.metrics}
    if not all(key in base and key in means for key in metrics):
        return {}
    points = {
        key: 100 / len(metrics) * sign * (means[key] - base[key]) / abs(base[key])
        for key, sign in metrics.items()
    }
    return points if all(map(math.isfinite, points.values())) else {}


def shares_of(points: Mapping[Key, float]) -> Mapping[Key, float]:
    """Each metric's part of the sum of points without their signs; empty if all are 0."""
    total = math.fsum(map(abs, points.values()))
    return {key: abs(value) / total for key, value in points.items()} if total else {}
