"""What trials are ranked by, in the numbers and words of reports."""

import math
from dataclasses import replace
from typing import Final

from reports.frames import StudyFrames
from storage.objectives import Objective, known
from storage.objectives.delta_m import NAME as DELTA_M
from storage.objectives.task_metric import primary

_STL: Final = "stl/"
_MINUS: Final = "\N{MINUS SIGN}"


def objective_of(frames: StudyFrames, search: str | None = None) -> Objective:
    """What a study's searches are ranked by; a single-task one goes by its task's first metric."""
    metrics = [(metric.task, metric.name, metric.direction) for metric in frames.metrics]
    if frames.of_function:
        return primary(frames.tasks[0], metrics)
    if search is not None and search.startswith(_STL) and search in frames.searches_alone:
        return _with_unit(frames, primary(search.removeprefix(_STL), metrics))
    return _with_unit(frames, known(metrics)[frames.spec["objective"] or DELTA_M])


def delta_m_of(frames: StudyFrames) -> Objective:
    """delta_m over all metrics, whatever the study's searches are ranked by."""
    metrics = [(metric.task, metric.name, metric.direction) for metric in frames.metrics]
    return known(metrics)[DELTA_M]


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


def title(objective: Objective) -> str:
    """How figures and pages call it."""
    return "Δm" if objective.name == DELTA_M else objective.name


def axis_title(objective: Objective, split: str = "") -> str:
    """The title of an axis: ``Validation Δm in %``."""
    unit = f"in {objective.unit}" if objective.unit else ""
    return " ".join(filter(None, (split, title(objective), unit)))


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
