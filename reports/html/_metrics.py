"""Test metrics of all methods: as columns of the comparison, or, if many, as a table."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports._digits import DASH, format_of
from reports._selected import untested
from reports.comparing.rows import MethodRow
from reports.figures import method_colour
from reports.frames import StudyFrames, TaskMetric
from reports.html._tags import Markup, boxed, tag
from reports.html._words import direction, in_form, unit_of

_CAPTION = (
    "Every metric of every task: test values of each method’s winner. Bold: best of the row; "
    "↓ lower is better, ↑ higher is better."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricNumbers:
    """One metric, as all rows write it.

    Attributes:
        task: How the task is called.
        title: How the metric is called.
        unit: An arrow to the better side, and the unit in which values are written.
        sign: +1 if lower is better, else -1.
        factor: What recorded values are multiplied by.
        form: Format of the written values.
    """

    task: str
    title: str
    unit: str
    sign: int
    factor: float
    form: str
    key: tuple[str, str]

    def value(self, row: MethodRow) -> float:
        """A method's value as written; NaN without one, the worst infinity if a run diverged."""
        return self.factor * _recorded(row, self.key, self.sign)

    def text(self, row: MethodRow) -> str:
        """The same as it is written."""
        value = self.value(row)
        if math.isnan(value):
            return DASH
        return "diverged" if math.isinf(value) else in_form(value, self.form)


def metric_numbers(frames: StudyFrames, rows: Sequence[MethodRow]) -> list[MetricNumbers]:
    """All metrics of all tasks, in the card's order."""
    tasks = {task["name"]: str(task.get("title", task["name"])) for task in frames.card["tasks"]}
    apart = untested(frames)
    return [
        _numbers(
            metric,
            tasks[metric.task],
            rows,
            on_validation=(metric.task, metric.name) in apart,
        )
        for metric in frames.metrics
    ]


def metric_table(metrics: Sequence[MetricNumbers], rows: Sequence[MethodRow]) -> Markup:
    """One row a metric, one column a method."""
    heads = [tag("th", "Task and metric", scope="col", class_="first")]
    heads += [_column_head(row) for row in rows]
    body = [_row(metric, rows) for metric in metrics]
    return boxed(_CAPTION, tag("tr", *heads), body, class_="numbers dense")


def best_of(values: Iterable[float], sign: int) -> float:
    """The best of several values; NaN where nothing is best: one value, or a sign of 0."""
    known = [value for value in values if math.isfinite(value)]
    if sign == 0 or len(known) < 2:
        return math.nan
    return min(known) if sign > 0 else max(known)


def _numbers(
    metric: TaskMetric, task: str, rows: Sequence[MethodRow], *, on_validation: bool
) -> MetricNumbers:
    key, (factor, _) = (metric.task, metric.name), unit_of(metric)
    values = [factor * _recorded(row, key, metric.sign) for row in rows]
    return MetricNumbers(
        task=task,
        title=f"{metric.title} (validation)" if on_validation else metric.title,
        unit=direction(metric),
        sign=metric.sign,
        factor=factor,
        form=format_of(values).replace(".", ",.", 1),
        key=key,
    )


def _recorded(row: MethodRow, key: tuple[str, str], sign: int) -> float:
    # what is the mean of the other seeds alone would flatter a winner that diverged on one
    return sign * math.inf if math.isinf(row.value_test) else row.metrics.get(key, math.nan)


def _column_head(row: MethodRow) -> Markup:
    colour = f"border-top: 3px solid {method_colour(row.weighting)}"
    return tag("th", row.title, scope="col", style=colour)


def _row(metric: MetricNumbers, rows: Sequence[MethodRow]) -> Markup:
    best = best_of(map(metric.value, rows), metric.sign)
    unit = tag("span", f"{metric.title}, {metric.unit}", class_="unit")
    cells = [
        tag("td", metric.text(row), class_="best" if metric.value(row) == best else "value")
        for row in rows
    ]
    return tag("tr", tag("th", f"{metric.task} ", unit, scope="row"), *cells)
