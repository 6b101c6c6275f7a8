"""Figures and the table of the front of several objectives, with their words."""

import json
from collections.abc import Iterator
from functools import partial

import pandas as pd

from reports import figures
from reports._ranking import better, number
from reports.frames import StudyFrames
from reports.html._plots import Plot, plot
from reports.html._tags import Markup, boxed, join, tag
from reports.html._words import value_of
from reports.spending.front import Front, MethodFront, front_of, front_table, volume_curves
from storage.wording import counted

_MOST_ROWS = 50
_FRONT = (
    "Each point is a trial that no other one of its method beats in all objectives at once: its "
    "mean over seeds on validation. Large ones are on the front of all methods together."
)
_FURTHER = " Further objectives are read by the pointer, and stand in the table."
_VOLUME = (
    "The share of the box, from the best validation values of all trials to a tenth of their range "
    "beyond the worst, that each method’s front beats, after spending so much on its search. Grid "
    "and random stages show the mean over random orders, others the order as run."
)


def front_section(frames: StudyFrames, *, light: bool) -> Markup | None:
    """The front as figures and as a table; None with one objective, or before trials have ended."""
    found = front_of(frames)
    if found is None:
        return None
    drawn = [plot(item, heading="h3", study=frames.name, light=light) for item in _plots(frames)]
    return tag(
        "section",
        tag("h2", "The front"),
        tag("p", front_said(found)),
        *drawn,
        _table(found),
    )


def front_said(found: Front) -> str:
    """Which method has how much of it, in words."""
    sides = ", ".join(f"{one.name} ({better(one)} is better)" for one in found.objectives)
    n_shared = sum(int(method.shared.sum()) for method in found.methods)
    told = "; ".join(_method_said(method) for method in found.methods)
    return f"{counted(n_shared, 'trial')} on the front of {sides}. {told}."


def _method_said(method: MethodFront) -> str:
    part = f"{int(method.shared.sum())} of them by {method.title}"
    if method.volume != method.volume:  # no number: the box is flat
        return f"{part}, whose box has no volume"
    return f"{part}, which beats {method.volume:.1%} of the box on validation"


def _plots(frames: StudyFrames) -> Iterator[Plot]:
    found = front_of(frames)
    further = _FURTHER if found is not None and len(found.objectives) > 2 else ""
    yield Plot(
        key="front",
        title="What one objective pays for another",
        seen="",
        caption=_FRONT + further,
        figure=figures.task_front(frames),
        points=partial(front_table, frames),
    )
    yield Plot(
        key="front-volume",
        title="Hypervolume against cost",
        seen="",
        caption=_VOLUME,
        figure=figures.volume_versus_cost(frames),
        points=partial(_volume_points, frames),
    )


def _volume_points(frames: StudyFrames) -> pd.DataFrame:
    found = [
        pd.DataFrame(
            {
                "method": curve.title,
                "cost_unit": curve.axis,
                "cost": curve.cost,
                "trials": curve.n_trials,
                "volume": curve.volume,
            }
        )
        for curve in volume_curves(frames)
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _table(found: Front) -> Markup:
    heads = ["Method", "Trial"]
    heads += [f"{one.name} {split}" for one in found.objectives for split in ("validation", "test")]
    rows = [
        _row(found, method, at)
        for method in found.methods
        for at in range(len(method.trials))
        if method.shared[at]
    ]
    caption = (
        "The front of all methods together: means over seeds. What is on it was chosen on "
        f"validation; test values choose nothing. {_which(len(rows))}"
    ).strip()
    cells = [tag("th", head, scope="col") for head in [*heads, "Parameters"]]
    return boxed(caption, tag("tr", *cells), rows[:_MOST_ROWS], class_="trials")


def _which(n_rows: int) -> str:
    return f"The first {_MOST_ROWS} of {n_rows:,}." if n_rows > _MOST_ROWS else ""


def _row(found: Front, method: MethodFront, at: int) -> Markup:
    values = [
        tag("td", "–" if table[at, k] != table[at, k] else number(one, float(table[at, k])))
        for k, one in enumerate(found.objectives)
        for table in (method.validation, method.test)
    ]
    point = json.loads(method.params[at])
    said = ", ".join(f"{name} {value_of(value)}" for name, value in point.items())
    return tag(
        "tr",
        tag("th", method.title, scope="row"),
        tag("td", f"{method.trials[at]}"),
        *values,
        tag("td", join([said])),
    )
