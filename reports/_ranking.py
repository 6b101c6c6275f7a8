"""What trials are ranked by, in the numbers and words of reports."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from storage.objectives import Objective, honest_metrics, known, named, of_card
from storage.objectives.delta_m import NAME as DELTA_M
from storage.objectives.task_metric import primary, task_metric

if TYPE_CHECKING:  # frames load pandas, and the dashboard's server does without
    from reports.frames import StudyFrames

_STL: Final = "stl/"
_MINUS: Final = "\N{MINUS SIGN}"


def objective_of(frames: StudyFrames, search: str | None = None) -> Objective:
    """What a study's searches are ranked by; a single-task one goes by its task's first metric."""
    metrics = [(metric.task, metric.name, metric.direction) for metric in frames.metrics]
    if frames.of_function:
        return primary(frames.tasks[0], metrics)
    if search is not None and search.startswith(_STL) and search in frames.searches_alone:
        return _with_unit(frames, primary(search.removeprefix(_STL), metrics))
    return _with_unit(frames, of_card(frames.card)[named(frames.spec["objective"])[0]])


def objectives_of(frames: StudyFrames) -> list[Objective]:
    """All that a study's searches are ranked by, `objective_of` first; one, or a front's."""
    metrics = [(metric.task, metric.name, metric.direction) for metric in frames.metrics]
    if frames.of_function:
        return [task_metric(metric, metrics) for metric in metrics]
    names = named(frames.spec["objective"])
    return [_with_unit(frames, of_card(frames.card)[name]) for name in names]


def delta_m_of(frames: StudyFrames) -> Objective:
    """delta_m over all metrics, whatever the study's searches are ranked by."""
    return known(honest_metrics(frames.card))[DELTA_M]


def metric_objective(frames: StudyFrames, task: str, metric: str) -> Objective:
    """One metric of one task, in its own unit and direction."""
    metrics = [(one.task, one.name, one.direction) for one in frames.metrics]
    own = next(one for one in metrics if one[:2] == (task, metric))
    return _with_unit(frames, task_metric(own, metrics))


def _with_unit(frames: StudyFrames, objective: Objective) -> Objective:
    """A metric with the unit that its card says; shares have none."""
    named = [m.unit for m in frames.metrics if (m.task, m.name) == objective.metrics[0][:2]]
    if objective.unit or len(objective.metrics) > 1 or named[0] == "1":
        return objective
    return replace(objective, unit=named[0])


def reference(frames: StudyFrames, split: str) -> float:
    """The value of the single-task networks: 0 by delta_m; NaN without a baseline."""
    base = frames.standing_baseline(split)
    if not base:
        return math.nan
    alone = {name: [value] for name, value in base.items()}
    return objective_of(frames).curve(alone, base)[0]


def axis_title(objective: Objective, split: str = "") -> str:
    """The title of an axis: ``Validation Δm in %``."""
    unit = f"in {objective.unit}" if objective.unit else ""
    return " ".join(filter(None, (split, objective.title, unit)))


def better(objective: Objective) -> str:
    """Which side is the better one, as an adjective."""
    return "lower" if objective.direction == "min" else "higher"


def number(objective: Objective, value: float, *, plus: bool = True) -> str:
    """A value as it is written, with its unit.

    Args:
        plus: With its sign, where differences are what it is made of.
    """
    shown = objective.shown if plus else objective.shown.lstrip("+")
    return f"{value:{shown}} {objective.unit}".strip().replace("-", _MINUS)


def short(objective: Objective, value: float, half: float = math.nan) -> str:
    """A value in as few characters as tell methods apart, without its unit.

    Args:
        half: Half its interval, which says how many digits tell anything; NaN for none.
    """
    shown = "+.1f" if "+" in objective.shown else ".3g"
    if half >= 10 and shown == "+.1f":
        shown = "+.0f"
    spread = "" if math.isnan(half) else f" ± {half:{shown.lstrip('+')}}"
    return f"{value:{shown}}{spread}".replace("-", _MINUS)


def hover(objective: Objective, field: str) -> str:
    """What the pointer reads off a figure, where `field` is the value: Plotly's template."""
    return f"%{{{field}:{objective.shown}}} {objective.unit}".strip()
