"""What search views need that a study's mirror does not hold: metrics, importances, epochs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from reports import StudyFrames
from reports._eligible import eligible
from reports._importance import Importance
from reports._ranking import objectives_of
from reports._selected import selected_metrics
from reports.dashboard.concluding.conclusions import PictureSaid, TaskMetrics
from reports.importances import Estimators, importances

if TYPE_CHECKING:
    from reports.html import Plot

_PLAIN_UNITS: Final = ("", "1")


def task_metrics(frames: StudyFrames) -> TaskMetrics:
    """Of each trial that has a value the mean of each metric over its seeds, on validation."""
    keys = [(metric.task, metric.name) for metric in frames.metrics]
    table = selected_metrics(frames, None, split="validation")
    by_run = table.pivot(index="run", columns=["task", "metric"], values="value")
    by_run = by_run.reindex(columns=keys)
    search, number, values = [], [], []
    searches = frames.searches_alone if frames.of_function else frames.searches
    for at, name in enumerate(searches):
        found = eligible(frames, name)
        done = np.isfinite(found.keys).all(axis=1)
        runs = found.runs[done]
        rows = by_run.reindex(runs.ravel()).to_numpy(dtype=np.float64)
        values.append(rows.reshape(*runs.shape, len(keys)).mean(axis=1))
        number.append(found.numbers[done])
        search.append(np.full(int(done.sum()), at))
    alone = frames.standing_baseline("validation")
    titles = {task["name"]: str(task.get("title", task["name"])) for task in frames.card["tasks"]}
    shared = [(titles[metric.task], metric) for metric in frames.metrics]
    return TaskMetrics(
        searches=searches,
        search=np.concatenate(search) if search else np.zeros(0, dtype=np.int64),
        number=np.concatenate(number) if number else np.zeros(0, dtype=np.int64),
        values=np.concatenate(values) if values else np.zeros((0, len(keys))),
        names=[" ".join(key) for key in keys],
        titles=[
            f"{task}: {one.title}{'' if one.unit in _PLAIN_UNITS else f' in {one.unit}'}"
            for task, one in shared
        ],
        primary=[" ".join(next(key for key in keys if key[0] == task)) for task in frames.tasks],
        signs=[metric.sign for metric in frames.metrics],
        alone=[alone.get(key, np.nan) for key in keys],
        objectives=_fronts(frames),
    )


def _fronts(frames: StudyFrames) -> list[str]:
    """Names of the metrics whose front the study searches; none with one objective."""
    objectives = objectives_of(frames)
    return [" ".join(one.metrics[0][:2]) for one in objectives] if len(objectives) > 1 else []


def importances_of(
    frames: StudyFrames, search: str, estimators: Estimators | None
) -> tuple[Importance, ...]:
    """What the report says of a search; nothing of one that it has not."""
    known = search in (*frames.searches, *frames.searches_alone)
    return importances(frames, search, estimators) if known else ()


def weights_picture(frames: StudyFrames) -> PictureSaid:
    """Loss weights while training."""
    from reports.html import weights_plot  # loads Plotly

    return _said(weights_plot(frames))


def conflicts_picture(frames: StudyFrames) -> PictureSaid:
    """How alike gradients of tasks and of samples were while training."""
    from reports.conflicts import sentences
    from reports.html import conflicts_plot

    return _said(replace(conflicts_plot(frames), seen="\n".join(sentences(frames))))


def curves_picture(frames: StudyFrames, search: str) -> PictureSaid:
    """Learning curves of a training function's search."""
    from reports.html import curves_plot
    from reports.trials import trials

    return _said(curves_plot(frames, next(one for one in trials(frames) if one.search == search)))


def _said(plot: Plot) -> PictureSaid:
    from reports.figures import NoFigure
    from reports.figures.svg import picture

    figure = plot.figure
    if isinstance(figure, NoFigure):
        return PictureSaid(wide=figure.reason, narrow=figure.reason, seen="", caption="", points="")
    points = plot.points().to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return PictureSaid(
        wide=picture(figure, label=plot.title).svg,
        narrow=picture(figure, page="narrow", label=plot.title).svg,
        seen=plot.seen,
        caption=plot.caption,
        points=points,
    )
