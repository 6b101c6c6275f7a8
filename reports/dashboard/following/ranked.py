"""What trials are ranked by, as spec and card of a study have it."""

from __future__ import annotations

from typing import Final

from storage.objectives import Objective, named, of_card
from storage.objectives.task_metric import primary
from storage.records import StudyRecord

ALONE: Final = "stl/"
"""Searches of single-task networks are called so and like their task."""


def objective_of(record: StudyRecord, search: str | None = None) -> Objective:
    """The objective of a search; that of single-task ones is their own metric."""
    tasks = record.card.get("tasks", ())
    metrics = [
        (task["name"], metric["name"], metric["direction"])
        for task in tasks
        for metric in task["metrics"]
    ]
    if record.card.get("kind") == "function":
        return primary(tasks[0]["name"], metrics)
    followups = [f"{part['name']}/" for part in record.spec.get("followup", ())]
    parent = search or ""
    for prefix in followups:
        parent = parent.removeprefix(prefix)
    task = parent.removeprefix(ALONE)
    if task != parent and task in [one["name"] for one in tasks]:
        return primary(task, metrics)
    return of_card(record.card)[named(record.spec.get("objective"))[0]]


def several_of(record: StudyRecord) -> tuple[str, ...]:
    """Names of the objectives whose front a study searches; none if it has one objective."""
    if (function := record.spec.get("function")) is not None:
        names = named(function["metric"])
    else:
        names = named(record.spec.get("objective"))
    return names if len(names) > 1 else ()
