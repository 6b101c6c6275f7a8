"""Figures in the page: a box for the drawing, its caption, and the figure's data as JSON."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal
from urllib.parse import quote

import pandas as pd
import plotly.graph_objects as go

from reports import figures
from reports._ranking import objective_of
from reports._titles import title_of
from reports.figures import NoFigure
from reports.figures.points import curve_points, run_points, share_points, trial_points
from reports.figures.svg import picture
from reports.frames import StudyFrames
from reports.html._seen import (
    cost_seen,
    sensitivity_seen,
    shares_seen,
    temperature_seen,
    weights_seen,
)
from reports.html._tags import Markup, join, tag

_COST = (
    "Each line is a method: the test {title} of its best trial so far, which was chosen on "
    "validation, after spending so much on its search. A line that runs out is held as a dotted "
    "one. Bands are 95 % intervals over seeds, drawn where no more than three lines are left; all "
    "have theirs in the label. Grid and random stages show the expectation over all orders, others "
    "the order as run."
)
_COST_BY_HAND = (
    " The pointer reads intervals off. The legend switches on the spread over search orders, which "
    "is another thing, and what tuning on a single seed reaches."
)
_SIMPLEX = (
    "Each cell or dot is a vector of task weights, coloured by its mean validation {title}; the "
    "ring marks the best. A corner gives all weight to one task. Colours are clipped at the 90th "
    "percentile, so that a few bad corners do not hide the differences among the good ones."
)
_TEMPERATURE = (
    "Points are runs (one a seed), lines the means over seeds. Faint points were trained with "
    "another learning rate. An arrow at the {edge} edge is a value off the scale, or a run "
    "that diverged or was pruned."
)
_TRAJECTORIES = (
    "The loss weights that each method’s winner gave the tasks, epoch by epoch, scaled to sum to "
    "one and averaged over its seeds."
)
_SENSITIVITY = (
    "Each point is a trial (mean over seeds); the line joins the best trial at each value, the "
    "ring marks the method’s best. An arrow at the {edge} edge is off the scale, diverged or "
    "pruned."
)
_IN_PACKS = " Device time is told as if each run had been trained alone."
_IN_PACKS_BY_HAND = " Buttons switch to the time as run, in packs, and to other units."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A figure with its words.

    Attributes:
        key: Identifies it in the page.
        title: Heading.
        seen: What there is to be seen of this study; empty if nothing can be said.
        caption: How to read the figure.
        figure: The drawing, or why there is none.
        points: Makes the table of what is drawn.
        by_hand: What a reader can do with the figure, where it is no still picture.
    """

    key: str
    title: str
    seen: str
    caption: str
    figure: go.Figure | NoFigure
    points: Callable[[], pd.DataFrame]
    by_hand: str = ""


def cost_plot(frames: StudyFrames) -> Plot:
    """The figure that the report is about."""
    figure = figures.cost_versus_performance(frames)
    return Plot(
        key="cost",
        title="Cost versus performance",
        seen=cost_seen(frames),
        caption=_worded(frames, _COST + _IN_PACKS * frames.packed),
        figure=figure,
        points=partial(curve_points, frames),
        by_hand=_COST_BY_HAND + _IN_PACKS_BY_HAND * frames.packed,
    )


def other_plots(frames: StudyFrames) -> Iterator[Plot]:
    """The other figures that this study has something to show in."""
    for item in _others(frames):
        yield replace(item, caption=_worded(frames, item.caption))


def _others(frames: StudyFrames) -> Iterator[Plot]:
    for at, search in enumerate(frames.searches):
        yield from _of_search(frames, search, at)
    if frames.of_trainer:
        return  # which weighs no losses, and calls its rates as it likes
    yield weights_plot(frames)
    yield _sensitivity(frames, "lr", "Learning rate", "learning rates")
    decay = _sensitivity(frames, "weight_decay", "Weight decay", "weight decays")
    if not isinstance(decay.figure, NoFigure):
        yield decay


def weights_plot(frames: StudyFrames) -> Plot:
    """The loss weights of each method's winner, epoch by epoch."""
    trajectories = figures.weight_trajectories(frames)
    shown = not isinstance(trajectories, NoFigure)
    return Plot(
        key="weights",
        title="Weights while training",
        seen=shares_seen(frames) if shown else "",
        caption=_TRAJECTORIES,
        figure=trajectories,
        points=partial(share_points, frames),
    )


def _sensitivity(
    frames: StudyFrames, param: Literal["lr", "weight_decay"], name: str, several: str
) -> Plot:
    return Plot(
        key=param,
        title=name,
        seen=sensitivity_seen(frames, param, several),
        caption=_SENSITIVITY,
        figure=figures.sensitivity(frames, param=param),
        points=partial(trial_points, frames, frames.searches),
    )


def _worded(frames: StudyFrames, caption: str) -> str:
    """A caption in the words of what the study is ranked by."""
    objective = objective_of(frames)
    return caption.format(title=objective.title, edge="top" if objective.sign > 0 else "bottom")


def _of_search(frames: StudyFrames, search: str, at: int) -> Iterator[Plot]:
    named = title_of(frames, search)
    simplex = figures.weight_simplex(frames, search)
    if not isinstance(simplex, NoFigure):
        yield Plot(
            key=f"simplex-{at}",
            title=f"Task weights: {named}",
            seen=weights_seen(frames, search),
            caption=_SIMPLEX,
            figure=simplex,
            points=partial(trial_points, frames, [search]),
        )
    line = figures.temperature_curve(frames, search)
    if not isinstance(line, NoFigure):
        yield Plot(
            key=f"temperature-{at}",
            title=f"Temperature: {named}",
            seen=temperature_seen(frames, search),
            caption=_TEMPERATURE,
            figure=line,
            points=partial(run_points, frames, search),
        )


def plot(item: Plot, *, heading: str, study: str, light: bool) -> Markup:
    """The figure in HTML under a heading of the given level, or a sentence that says why not.

    Args:
        study: Its name, for that of the file of points.
        light: As a still picture, instead of data for Plotly.
    """
    head = tag(heading, item.title)
    if isinstance(item.figure, NoFigure):
        return join([head, tag("p", item.figure.reason, class_="soft")])
    drawing = _still(item, item.figure) if light else _drawn(item, item.figure)
    caption = tag(
        "figcaption",
        tag("p", item.seen, class_="seen") if item.seen else None,
        f"{item.caption}{'' if light else item.by_hand} ",
        download(item.points(), f"{study}-{item.key}"),
    )
    return join([head, tag("figure", drawing, caption)])


def _still(item: Plot, figure: go.Figure) -> Markup:
    """A picture for a wide page and one for a narrow one, of which a browser shows one."""
    pages: tuple[Literal["wide", "narrow"], ...] = ("wide", "narrow")
    made = (
        tag("div", Markup(picture(figure, page=page, label=item.title).svg), class_=f"still {page}")
        for page in pages
    )
    return join(made)


def _drawn(item: Plot, figure: go.Figure) -> Markup:
    """A box that the page's script draws in, and what it draws as JSON."""
    data = f"data-{item.key}"
    height = f"height:{figure.layout.height}px"
    box = tag("div", class_="plot", id=f"plot-{item.key}", data_figure=data, style=height)
    # Inside a script element only "<" could end it or open a comment: JSON has an escape for it.
    text = Markup(figure.to_json().replace("<", "\\u003c"))
    script = tag("script", text, type="application/json", id=data)
    return join([tag("div", box, role="group", aria_label=item.title), script])


def download(points: pd.DataFrame, name: str, said: str = "The points as CSV") -> Markup:
    """A link that holds a table as CSV; it needs no network."""
    text = points.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    file = re.sub(r"[^\w.-]+", "-", name)
    href = f"data:text/csv;charset=utf-8,{quote(text, safe=',;:+()[]{}')}"
    return tag("a", said, href=href, download=f"{file}.csv", class_="on-screen")
