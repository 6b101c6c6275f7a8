"""Figures of a training function's search, with their words."""

from collections.abc import Iterator, Sequence
from functools import partial

from reports import figures
from reports.figures import NoFigure
from reports.figures._parallel import MOST_LINES
from reports.figures.points import importance_points, listed_points, step_points
from reports.frames import StudyFrames
from reports.html._function_seen import curves_seen, history_seen, parallel_seen
from reports.html._plots import Plot
from reports.importances import Importance
from reports.trials import SearchTrials

_HISTORY = (
    "Each point is a trial, its mean over seeds on validation; the line is the best one so far. An "
    "arrow at the worse edge is off the scale, or a trial that diverged, was pruned or failed."
)
_CURVES = (
    "Validation by step, mean over the seeds that reached it: the best trial, the nine next, and "
    "of the others some that lie evenly apart by value. A curve that ends early was stopped."
)
_PARALLEL = (
    "The best fifty trials: a line crosses each axis at the trial’s parameter, the last one at its "
    "value. Red is the best one, faint are the worse ones. Where good trials meet shows where they "
    "are, not how much a parameter matters."
)

_IMPORTANCES = (
    "What each parameter explains on validation, by each way to ask; the thin lines are 95 % "
    "intervals over seeds. Shares of one way sum to 100 %."
)


def function_plots(frames: StudyFrames, search: SearchTrials) -> Iterator[Plot]:
    """The figures that there is something to show in; the first one says why, if there is none."""
    key, best = search.search, partial(listed_points, search, most=MOST_LINES)
    every, steps = partial(listed_points, search), partial(step_points, frames, search)
    made = (
        ("history", "Course", _HISTORY, figures.trial_history, history_seen(frames, search), every),
        ("curves", "Learning curves", _CURVES, figures.learning_curves, curves_seen(search), steps),
        (
            "parallel",
            "Best trials",
            _PARALLEL,
            figures.parallel_coordinates,
            parallel_seen(search),
            best,
        ),
    )
    for name, title, caption, draw, seen, points in made:
        figure = draw(frames, search)
        if name == "history" or not isinstance(figure, NoFigure):
            yield Plot(
                key=f"{name}-{key}",
                title=title,
                seen=seen,
                caption=caption,
                figure=figure,
                points=points,
            )


def importance_plot(search: SearchTrials, found: Sequence[Importance]) -> Iterator[Plot]:
    """Which parameters matter, by each way to ask; nothing where nothing tells it."""
    if found:
        yield Plot(
            key=f"importances-{search.search}",
            title="Which parameters matter",
            seen=" ".join(one.sentence for one in found),
            caption=_IMPORTANCES,
            figure=figures.importance_bars(found),
            points=partial(importance_points, found),
        )
