"""What the searches of a plan are ranked by, looked up among the metrics of the problem's card."""

from __future__ import annotations

from storage.objectives import Metric, Objective, known
from storage.objectives.delta_m import NAME as DEFAULT
from trainers.cards import ProblemCard


def metrics_of(card: ProblemCard) -> list[Metric]:
    """(task, metric, direction) of all M metrics, in the card's order."""
    return [(task.name, m.name, m.direction) for task in card.tasks for m in task.metrics]


def study_objective(card: ProblemCard) -> Objective:
    """What the searches of a study are ranked by."""
    return known(metrics_of(card))[DEFAULT]
