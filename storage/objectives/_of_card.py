"""The objectives of a study, as its stored card tells them: its metrics', and those with names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from storage.objectives._objective import DirectedMetric, Objective
from storage.objectives._registry import known
from storage.objectives.task_metric import task_metric

_ORACLE: Final = " (oracle)"


def of_card(card: Mapping[str, Any]) -> dict[str, Objective]:
    """All that trials can be ranked by, by name.

    What needs hidden truth says so wherever its title is read: it ranks an oracle's trials alone.

    Args:
        card: A problem's, as it is stored; that of a trainer has ``objectives``, each with a name
            of its own for a metric.
    """
    metrics = {metric: _uses_truth(plain) for metric, plain in _metrics(card)}
    if "objectives" in card:
        named = (_named(one, [*metrics]) for one in card["objectives"])
        return {objective.name: objective for objective in named}
    found = known([*metrics])
    honest = [metric for metric, uses_truth in metrics.items() if not uses_truth]
    if len(honest) == len(metrics):
        return found
    marked = [
        _marked(objective) if metrics[objective.metrics[0]] else objective
        for objective in found.values()
        if len(objective.metrics) == 1 and not objective.needs_baseline
    ]
    relative = [one for one in known(honest).values() if one.needs_baseline]
    return {objective.name: objective for objective in [*relative, *marked]}


def honest_metrics(card: Mapping[str, Any]) -> list[DirectedMetric]:
    """(task, metric, direction) of all metrics that may decide: those without hidden truth."""
    return [metric for metric, plain in _metrics(card) if not _uses_truth(plain)]


def _named(one: Mapping[str, Any], metrics: list[DirectedMetric]) -> Objective:
    metric = next(metric for metric in metrics if metric[1] == one["metric"])
    found = replace(task_metric(metric, metrics), name=one["name"], symbol=one["title"])
    return _marked(found) if one["uses_truth"] else found


def _marked(objective: Objective) -> Objective:
    return replace(objective, symbol=f"{objective.title}{_ORACLE}", uses_truth=True)


def _metrics(card: Mapping[str, Any]) -> Iterator[tuple[DirectedMetric, Mapping[str, Any]]]:
    for task in card.get("tasks", ()):
        for metric in task.get("metrics", ()):
            yield (task["name"], metric["name"], metric["direction"]), metric


def _uses_truth(metric: Mapping[str, Any]) -> bool:
    return bool(metric.get("uses_truth"))  # cards of earlier versions do not say
