"""One metric of one task, in its own unit and direction: a training function's, a single task's."""

from __future__ import annotations

from collections.abc import Sequence

from storage.objectives._objective import DirectedMetric, Objective


def objectives(metrics: Sequence[DirectedMetric]) -> list[Objective]:
    """One a metric ``[M]``."""
    return [task_metric(metric, metrics) for metric in metrics]


def task_metric(metric: DirectedMetric, among: Sequence[DirectedMetric]) -> Objective:
    """A metric, named ``task.metric``; the only one among all metrics ``[M]`` by its name alone."""
    task, name, direction = metric
    return Objective(
        name=name if len(among) == 1 else f"{task}.{name}",
        direction="min" if direction == "min" else "max",
        metrics=(metric,),
        of_epoch=_itself,
    )


def primary(task: str, metrics: Sequence[DirectedMetric]) -> Objective:
    """The first of a task's metrics, by which its single-task networks are chosen."""
    return task_metric(next(metric for metric in metrics if metric[0] == task), metrics)


def _itself(
    metrics: Sequence[float], _baseline: Sequence[float], _directions: Sequence[str]
) -> float:
    (value,) = metrics
    return value
