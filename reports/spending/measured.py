"""Winners told by other values than what they were chosen by: a task's metric, or on validation.

Winners are chosen as ever (`reports.spending.curves`); a curve shows another value of theirs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from reports._eligible import Eligible, eligible
from reports._once import once_per_study
from reports._ranking import axis_title, metric_objective, objective_of
from reports._selected import selected_metrics
from reports._titles import title_of
from reports.errors import UnknownMeasure
from reports.frames import StudyFrames
from reports.measures import FloatArray
from reports.spending.axes import CostAxis
from reports.spending.curves import Trajectory, trajectory, trajectory_by
from storage.objectives import Objective

Split = Literal["test", "validation"]
_OBJECTIVE_ON_TEST: Final = "test"
_TITLES: Final[Mapping[Split, str]] = {"test": "Test", "validation": "Validation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A value that winners are told by.

    Attributes:
        key: ``test``, ``validation.price.mae``; without a metric it is what trials are ranked by.
        title: ``Test Δm in %``.
        metric: Task and metric; None for what trials are ranked by.
    """

    key: str
    title: str
    split: Split
    metric: tuple[str, str] | None
    objective: Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCurve:
    """A measure of the incumbent against what the search has cost.

    Attributes:
        cost: ``[n]``, rising; a value holds until the next cost.
        value: ``[n]``, mean over seeds; each seed's winner is chosen by the others.
    """

    search: str
    title: str
    cost: FloatArray
    value: FloatArray

    def at(self, cost: float) -> float:
        """The value that so much has paid for; NaN if none has been."""
        # Sums of costs in another order must not put a point behind its own cost.
        paid = int(np.searchsorted(self.cost, cost * (1 + 1e-9), side="right"))
        return float(self.value[paid - 1]) if paid else math.nan


def measures(frames: StudyFrames) -> tuple[Measure, ...]:
    """What winners can be told by, the objective on test first; no test values if sealed."""
    splits: tuple[Split, ...] = ("validation",) if frames.sealed else ("test", "validation")
    found = [_measure(split, None, objective_of(frames)) for split in splits]
    for split in splits:
        for metric in frames.metrics:
            named = metric.task, metric.name
            if metric_objective(frames, *named).name != objective_of(frames).name:
                found.append(_measure(split, named, metric_objective(frames, *named)))
    return tuple(found)


def measure_of(frames: StudyFrames, key: str) -> Measure:
    """The measure of that key.

    Raises:
        UnknownMeasure: There is none.
    """
    known = {one.key: one for one in measures(frames)}
    if key not in known:
        raise UnknownMeasure(f"Winners can be told by {', '.join(known)}. Got {key!r}.")
    return known[key]


def measured_curves(
    frames: StudyFrames, axis: CostAxis, measure: Measure
) -> tuple[MeasuredCurve, ...]:
    """Those of all searches that have one, in the order of the spec.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
    """
    found = []
    for search in frames.searches:
        course = _course(frames, search, measure.key)
        if course is not None:
            found.append(
                MeasuredCurve(
                    search=search,
                    title=title_of(frames, search),
                    cost=course.costs(frames, axis),
                    value=course.value,
                )
            )
    return tuple(found)


@once_per_study
def _course(frames: StudyFrames, search: str, key: str) -> Trajectory | None:
    if key == _OBJECTIVE_ON_TEST:
        return trajectory(frames, search)
    trials = eligible(frames, search)
    scored = replace(trials, test=_scores(frames, trials, measure_of(frames, key)))
    return trajectory_by(frames, search, scored, scored.folds())


def _scores(frames: StudyFrames, trials: Eligible, measure: Measure) -> FloatArray:
    """``[N, S]``; NaN where a run has no value, and where its trial diverged or was pruned."""
    unscored = np.isinf(trials.keys)
    if measure.metric is None:
        own = measure.objective.sign * np.where(unscored, np.nan, trials.keys)
        return np.asarray(trials.test if measure.split == "test" else own)
    task, metric = measure.metric
    rows = selected_metrics(frames, trials.runs.ravel().tolist(), split=measure.split)
    rows = rows[(rows["task"] == task) & (rows["metric"] == metric)]
    values = rows.set_index("run")["value"].reindex(trials.runs.ravel()).to_numpy(dtype=np.float64)
    return np.where(unscored, np.nan, values.reshape(trials.runs.shape))


def _measure(split: Split, metric: tuple[str, str] | None, objective: Objective) -> Measure:
    return Measure(
        key=".".join((split, *(metric or ()))),
        title=axis_title(objective, _TITLES[split]),
        split=split,
        metric=metric,
        objective=objective,
    )
