"""The objectives of a study, as its stored card tells them: its metrics', and those with names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from storage.objectives._objective import Objective
from storage.objectives._registry import known
from storage.objectives.task_metric import task_metric


def of_card(card: Mapping[str, Any]) -> dict[str, Objective]:
    """All that trials can be ranked by, by name; those that a trainer names come first.

    Args:
        card: A problem's, as it is stored; that of a trainer has ``objectives``, each with a name
            of its own for a metric.
    """
    metrics = [
        (task["name"], metric["name"], metric["direction"])
        for task in card.get("tasks", ())
        for metric in task["metrics"]
    ]
    named = {
        one["name"]: replace(
            task_metric(metric, metrics),
            name=one["name"],
            symbol=one["title"],
            uses_truth=one["uses_truth"],
        )
        for one in card.get("objectives", ())
        for metric in metrics
        if metric[1] == one["metric"]
    }
    return named or known(metrics)
