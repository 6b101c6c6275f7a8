"""Figures of a training function's search, with their words."""

from collections.abc import Iterator, Sequence
from functools import partial

from reports import figures
from reports._importance import Importance
from reports.drawing._parallel import MOST_LINES
from reports.figures import NoFigure
from reports.figures.points import importance_points, listed_points, step_points
from reports.frames import StudyFrames
from reports.html._function_seen import curves_seen, history_seen, parallel_seen
from reports.html._plots import Plot
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
    yield Plot(
        key=f"history-{search.search}",
        title="Course",
        seen=history_seen(frames, search),
        caption=_HISTORY,
        figure=figures.trial_history(frames, search),
        points=partial(listed_points, search),
    )
    best = Plot(
        key=f"parallel-{search.search}",
        title="Best trials",
        seen=parallel_seen(search),
        caption=_PARALLEL,
        figure=figures.parallel_coordinates(frames, search),
        points=partial(listed_points, search, most=MOST_LINES),
    )
    for plot in (curves_plot(frames, search), best):
        if not isinstance(plot.figure, NoFigure):
            yield plot


def curves_plot(frames: StudyFrames, search: SearchTrials) -> Plot:
    """Validation by step of some of the trials."""
    return Plot(
        key=f"curves-{search.search}",
        title="Learning curves",
        seen=curves_seen(search),
        caption=_CURVES,
        figure=figures.learning_curves(frames, search),
        points=partial(step_points, frames, search),
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
