"""Gradient conflicts in the report: in words, over training, and as a table."""

from functools import partial

from reports._palette import method_colour
from reports._titles import weighting_of
from reports.conflicts import (
    SAID,
    STATISTICS,
    ComparedPairs,
    asked,
    compared,
    rows_of,
    sentences,
    winners_runs,
)
from reports.figures.conflicts import conflict_curves
from reports.figures.points import conflict_points
from reports.frames import StudyFrames
from reports.html._plots import Plot, plot
from reports.html._tags import Markup, boxed, method_head, tag
from reports.html._words import count, in_form
from storage.records import MEASURES

_TITLES = {
    "cosine": "Cosine",
    "negative_cosine": "Cosine below 0",
    "magnitude": "Magnitude similarity",
    "opposite_signs": "Coordinates of opposite sign",
}
_SHARES = ("negative_cosine", "opposite_signs")
_CAPTION = (
    "Mean over epochs and runs of each winner. In brackets the standard deviation over pairs and "
    "their 2.5th, 50th and 97.5th percentiles. Left out are pairs with a gradient of 0."
)
_READ = (
    "Lines are means over pairs, bands go from the 2.5th to the 97.5th percentile, both as means "
    "over the runs of the winner. Below a cosine of 0 two gradients point apart; a magnitude "
    "similarity of 1 stands for equal lengths."
)


def conflicts(frames: StudyFrames, *, light: bool) -> Markup | None:
    """A section; None where gradients are not compared."""
    found = compared(frames)
    if not found and asked(frames) is None:
        return None
    return tag(
        "section",
        tag("h2", "Gradient conflicts", id="conflicts"),
        *(tag("p", text) for text in sentences(frames)),
        plot(conflicts_plot(frames), heading="h3", study=frames.name, light=light),
        _table(frames, found) if found else None,
    )


def conflicts_plot(frames: StudyFrames) -> Plot:
    """Similarity of the gradients of each method's winner, epoch by epoch."""
    titles = dict.fromkeys((one.search, one.title) for one in compared(frames))
    rows = {
        title: rows_of(frames, winners_runs(frames, search))
        for search, title in titles
        if search in frames.searches
    }
    return Plot(
        key="conflicts",
        title="Similarity of gradients while training",
        seen="",
        caption=_READ,
        figure=conflict_curves(rows),
        points=partial(conflict_points, rows),
    )


def _table(frames: StudyFrames, found: tuple[ComparedPairs, ...]) -> Markup:
    heads = ["Method", "Pairs", "Number", "Left out", *_TITLES.values()]
    head = tag("tr", *(tag("th", name, scope="col") for name in heads))
    return boxed(_CAPTION, head, [_row(frames, one) for one in found])


def _row(frames: StudyFrames, one: ComparedPairs) -> Markup:
    weighting = weighting_of(frames, one.search) if one.search in frames.searches else "stl"
    cells = [SAID[one.pairing], count(one.n_pairs), count(one.n_left_out)]
    cells += [_cell(one, measure) for measure in MEASURES]
    head = method_head(one.title, method_colour(weighting))
    return tag("tr", head, *(tag("td", text) for text in cells))


def _cell(one: ComparedPairs, measure: str) -> str:
    values = [one.statistics[measure][name] for name in STATISTICS]
    if measure in _SHARES:
        mean, sd, *ends = (100 * value for value in values)
        said = f"{in_form(mean, '.1f')} %"
        if measure == "negative_cosine":  # pair by pair it is 0 or 1
            return said
        return f"{said} ({'; '.join(in_form(value, '.1f') for value in (sd, *ends))})"
    mean, sd, *ends = values
    return f"{in_form(mean, '.3f')} ({'; '.join(in_form(value, '.3f') for value in (sd, *ends))})"
