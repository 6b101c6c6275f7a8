"""The single-task numbers that delta_m is relative to: where they come from, what they must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.records import BaselineValue
from storage.scoring import Selection, at_epoch, mean, select
from trainers.cards import ProblemCard, TaskCard

Table = Mapping[str, Mapping[tuple[str, str], Sequence[float]]]
"""Split -> (task, metric) -> values by epoch of one run."""

_SPLITS = ("validation", "test")
_SMALLEST = 1e-12  # a baseline nearer to 0 is 0, rounded


def imported_values(metrics: Mapping[str, Mapping[str, float]]) -> list[BaselineValue]:
    """Numbers from elsewhere, by task and metric; they serve both splits."""
    return [
        BaselineValue(task=task, metric=metric, split=split, value=value)
        for task, values in metrics.items()
        for metric, value in values.items()
        for split in _SPLITS
    ]


def trained_values(
    task: TaskCard, winner: str, runs: Sequence[Table], selection: Selection
) -> list[BaselineValue]:
    """Seed means of a task's metrics, each run at the epoch that its primary metric selects.

    Args:
        winner: The winning point, as canonical JSON.
        runs: ``[S]``, the tables of its runs.
    """
    primary = task.metrics[0]
    lower = primary.direction == "min"
    curves = [run["validation"][task.name, primary.name] for run in runs]
    epochs = [select(curve, curve, selection=selection, lower=lower).epoch for curve in curves]
    return [
        BaselineValue(
            task=task.name,
            metric=metric.name,
            split=split,
            value=mean(
                [
                    at_epoch(run[split][task.name, metric.name], epoch, selection=selection)
                    for run, epoch in zip(runs, epochs, strict=True)
                ]
            ),
            params=winner,
        )
        for metric in task.metrics
        for split in _SPLITS
    ]


def meaningless(card: ProblemCard, found: BaselineValue) -> str:
    """Why a change relative to this baseline means nothing (M2); empty if it means something."""
    told = f"{found.metric} of task {found.task} is {found.value:.6g} on the {found.split} split"
    if not abs(found.value) >= _SMALLEST:
        return f"{told}, and delta_m divides by it. Choose another metric."
    (task,) = (task for task in card.tasks if task.name == found.task)
    (metric,) = (metric for metric in task.metrics if metric.name == found.metric)
    if abs(found.value) < (step := metric.step(card.sizes[found.split])):
        return (
            f"{told}, less than one of its {card.sizes[found.split]:,} samples ({step:.6g}): a "
            "change relative to it means nothing. Choose another metric or a larger split; if it "
            "counts more than samples, say `share=False` on its card."
        )
    return ""
