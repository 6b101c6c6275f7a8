"""The columns of a study's table: what methods are ranked by, delta_m, every metric, the cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports._ranking import delta_m_of, objective_of
from reports._selected import untested
from reports.comparing.rows import MethodRow
from reports.frames import StudyFrames
from reports.spending.axes import CostAxis, axis_of_matches
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M

_UNITS: Final = {"solo_s": "device-s", "epochs": "epochs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of numbers.

    Attributes:
        task: Name of the task; empty for what is not of one task.
        name: Name of the metric, of the objective, or of the cost.
        group: How the task is called on top of its columns; empty where there is none.
        title: How the column is called.
        direction: ``"min"`` (lower is better) or ``"max"``.
        unit: Unit of its values; empty if there is none.
        signed: Values are written with their sign.
        with_interval: The interval is written beside the value.
        axis: Unit of a cost, see `reports.spending.axes`; None of what a winner reaches.
    """

    task: str
    name: str
    group: str
    title: str
    direction: str
    unit: str
    signed: bool = False
    with_interval: bool = False
    axis: CostAxis | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Task and name: no two columns have the same."""
        return self.task, self.name


def columns_of(frames: StudyFrames, rows: Sequence[MethodRow]) -> tuple[Column, ...]:
    """What methods are ranked by comes first, which may be a metric; the cost comes last.

    Args:
        rows: All that the table has; delta_m beside another objective needs one of them to have it.
    """
    objective = objective_of(frames)
    of_one = objective.name != DELTA_M and len(objective.metrics) == 1
    metrics = list(_metrics(frames, ranked_by=objective.metrics[0][:2] if of_one else None))
    first = [column for column in metrics if column.with_interval]
    if not of_one:
        first.append(_of_objective(objective))
    if objective.name != DELTA_M and not all(math.isnan(row.delta_m_test) for row in rows):
        first.append(_of_objective(delta_m_of(frames)))
    apart = untested(frames)
    others = [one for one in metrics if not one.with_interval and one.key not in apart]
    return (*first, *others, _cost(frames))


def _metrics(frames: StudyFrames, ranked_by: tuple[str, str] | None) -> list[Column]:
    titles = {task["name"]: task.get("title", task["name"]) for task in frames.card["tasks"]}
    if frames.of_trainer:
        titles = dict.fromkeys(titles, "")  # there is one task, which the caption names
    return [
        Column(
            task=metric.task,
            name=metric.name,
            group=str(titles[metric.task]),
            title=metric.title,
            direction=metric.direction,
            unit="" if metric.unit == "1" else metric.unit,
            with_interval=(metric.task, metric.name) == ranked_by,
        )
        for metric in frames.metrics
    ]


def _of_objective(objective: Objective) -> Column:
    return Column(
        task="",
        name=objective.name,
        group="",
        title=objective.title,
        direction=objective.direction,
        unit=objective.unit,
        signed="+" in objective.shown,
        with_interval=True,
    )


def _cost(frames: StudyFrames) -> Column:
    axis = axis_of_matches(frames)
    return Column(
        task="",
        name=f"cost_{axis}",
        group="",
        title="Cost",
        direction="min",
        unit=_UNITS[axis],
        axis=axis,
    )
