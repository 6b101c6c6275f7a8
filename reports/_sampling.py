"""The error that a split's size alone gives to delta_m (MEASURES M14)."""

import math

from reports.frames import StudyFrames, TaskMetric
from reports.measures import baseline_error_points


def sampling_error_points(frames: StudyFrames, split: str) -> float | None:
    """Standard error of delta_m that the finite split gives, in points: a lower bound.

    Only error rates and accuracies have a standard error that sizes alone give (binomial); other
    metrics are left out.

    Returns:
        None without such metrics, a baseline or the split's size.
    """
    size, base = distinct_size(frames, split), frames.standing_baseline(split)
    pairs = [
        (_binomial_se(metric, base[metric.task, metric.name], size), base[metric.task, metric.name])
        for metric in frames.metrics
        if metric.share and size and (metric.task, metric.name) in base
    ]
    if not pairs:
        return None
    errors, baseline = zip(*pairs, strict=True)
    return baseline_error_points(errors, baseline, len(frames.metrics))


def distinct_size(frames: StudyFrames, split: str) -> int:
    """Samples of a split, those that share parts not counted twice; 0 where the card is silent."""
    size = int(frames.card.get("sizes", {}).get(split) or 0)
    return min(size, int(frames.card.get("distinct", {}).get(split, size)))


def _binomial_se(metric: TaskMetric, value: float, size: int) -> float:
    whole = 100.0 if metric.unit == "%" else 1.0
    share = min(max(value / whole, 0.0), 1.0)
    return whole * math.sqrt(share * (1 - share) / size)
