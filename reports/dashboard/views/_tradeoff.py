"""Pairs of tasks: what trials reach on one against what they reach on the other, and the front."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.concluding.conclusions import TaskMetrics
from reports.dashboard.rendering.words import number
from reports.dashboard.showing.binning import pareto
from reports.dashboard.views._cloud import Cloud
from reports.dashboard.views._stills import Scatter, csv_of, few_stops, kept, pictures
from reports.dashboard.views._view import TABLE_ROWS, Cell, Drawn, Seen, Undrawn, View
from reports.drawing import Sketch
from reports.drawing._style import LINE, TEXT
from reports.drawing._trace import Trace, scatter
from reports.drawing._window import Window, window

_CAPTION: Final = (
    "Each dot is a trial: its mean over seeds on validation at the selected epochs, on one task "
    "against the other. The line joins the trials that no other one beats on both.{stl} An arrow "
    "or a dot at the edge is off the scale."
)
_STL: Final = " Dashed: the single-task networks."


def tradeoff(seen: Seen) -> Drawn | Undrawn:
    """Two metrics of the problem, at first the objectives, or those of the first two tasks."""
    found: TaskMetrics | None = seen.ask("metrics")
    if found is None:
        return Undrawn(
            reason="The metrics of all trials are being read: they are not kept in memory.",
            waits=True,
        )
    if len(found.names) < 2 or not len(found.number):
        return Undrawn(reason="No trial has metrics of two tasks yet.")
    options = [(f"{k}", name) for k, name in enumerate(found.titles)]
    first_of = [found.names.index(name) for name in found.objectives or found.primary][:2]
    second = first_of[-1] if len(first_of) > 1 else 1
    across = options[first_of[0]]
    x = seen.choice("x", "Across", [across, *(one for one in options if one != across)])
    y = seen.choice(
        "y", "Up", [options[second], *(one for one in options if one != options[second])]
    )
    cloud, values = _joined(seen.cloud, found)
    if not len(cloud):
        return Undrawn(reason="No trial has metrics of two tasks yet.", choices=(x, y))
    pair = int(x.chosen), int(y.chosen)
    drawing = _Pair(cloud, found, values[:, pair[0]], values[:, pair[1]], pair)
    names = [found.names[at].replace(" ", ".") for at in pair]
    stl = _STL if np.isfinite([found.alone[at] for at in pair]).any() else ""
    columns = {name: values[:, at] for name, at in zip(names, pair, strict=True)}
    return Drawn(
        pictures=pictures(
            drawing.sketch, label=f"{found.titles[pair[1]]} against {found.titles[pair[0]]}"
        ),
        choices=(x, y),
        seen=drawing.seen,
        caption=_CAPTION.format(stl=stl),
        heads=["On the front", found.titles[pair[0]], found.titles[pair[1]], cloud.axis],
        rows=drawing.rows(),
        csv=partial(csv_of, cloud, (), **columns),
    )


def _joined(cloud: Cloud, found: TaskMetrics) -> tuple[Cloud, NDArray[np.float64]]:
    """The trials of the cloud that have metrics, and these, ``[N, M]``."""
    places = {search: at for at, search in enumerate(cloud.searches)}
    code = np.array([places.get(search, -1) for search in found.searches])
    span = int(max(cloud.number.max(initial=0), found.number.max(initial=0))) + 1
    theirs = code[found.search] * span + found.number
    order = np.argsort(theirs, kind="stable")
    mine = cloud.code * span + cloud.number
    at = order[np.minimum(np.searchsorted(theirs[order], mine), len(order) - 1)]
    known = theirs[at] == mine
    return cloud.only(known), found.values[at[known]]


class _Pair:
    """Trials by two metrics."""

    def __init__(
        self,
        cloud: Cloud,
        found: TaskMetrics,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        pair: tuple[int, int],
    ) -> None:
        self._cloud, self._x, self._y = cloud, x, y
        self._titles = [found.titles[at] for at in pair]
        self._signs = [found.signs[at] for at in pair]
        self._alone = [found.alone[at] for at in pair]
        self._front = pareto(self._signs[0] * x, self._signs[1] * y)

    @property
    def seen(self) -> str:
        """How many trials are on the front, and of which methods."""
        codes = self._cloud.code[self._front]
        n = [(int(np.sum(codes == code)), self._cloud.titles[code]) for code in np.unique(codes)]
        told = ", ".join(f"{title} {many}" for many, title in sorted(n, reverse=True))
        many = int(self._front.sum())
        return f"On the front: {many} of {len(self._cloud):,} trials ({told})."

    def sketch(self, most: int) -> tuple[Sketch, str]:
        """The drawing, and how many trials a dot stands for."""
        views = [
            _window(values, sign, alone)
            for values, sign, alone in zip(
                (self._x, self._y), self._signs, self._alone, strict=True
            )
        ]
        x = np.where(views[0].cuts(self._x), views[0].edge, self._x)
        dots = Scatter(
            cloud=self._cloud,
            x=x,
            drawn_x=x,
            y=self._y,
            view=views[1],
            keep=kept(self._cloud, self._front),
            stops=few_stops(self._cloud, self._front),
            say=self._said,
        )
        traces, said = dots.traces(most)
        layout = {
            "height": 560,
            "xaxis": {**self._axis(0), "range": [views[0].low, views[0].high]},
            "yaxis": {**self._axis(1), "range": [views[1].low, views[1].high]},
            "shapes": self._levels(),
            "margin": {"l": 84},
            "meta": {"narrow": {"xaxis.title.text": self._titles[0]}},
        }
        return Sketch(traces=[*self._line(), *traces], layout=layout), said

    def rows(self) -> list[list[Cell]]:
        """The front, from one end to the other."""
        at = np.flatnonzero(self._front)
        order = at[np.argsort(self._signs[0] * self._x[at])][:TABLE_ROWS].tolist()
        return [
            [
                Cell(self._cloud.named(trial), self._cloud.link(trial)),
                Cell(number(float(self._x[trial]))),
                Cell(number(float(self._y[trial]))),
                Cell(number(float(self._cloud.value[trial]))),
            ]
            for trial in order
        ]

    def _said(self, trial: int) -> str:
        values = (
            f"{title} {number(float(v[trial]))}"
            for title, v in zip(self._titles, (self._x, self._y), strict=True)
        )
        return f"{self._cloud.said(trial)}, {', '.join(values)}"

    def _axis(self, at: int) -> dict[str, object]:
        side = "lower" if self._signs[at] > 0 else "higher"
        return {"title": {"text": f"{self._titles[at]}, {side} is better"}, "nticks": 6}

    def _line(self) -> list[Trace]:
        at = np.flatnonzero(self._front)
        order = at[np.argsort(self._x[at])]
        line = {"width": 1.6, "color": TEXT}
        return [scatter(x=self._x[order], y=self._y[order], mode="lines", line=line, name="front")]

    def _levels(self) -> list[dict[str, object]]:
        line = {"color": LINE, "width": 1.5, "dash": "dash"}
        found: list[dict[str, object]] = []
        x, y = self._alone
        if np.isfinite(x):
            ends = {"x0": x, "x1": x, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain"}
            found.append({"type": "line", "line": line, **ends})
        if np.isfinite(y):
            ends = {"x0": 0, "x1": 1, "y0": y, "y1": y, "xref": "x domain", "yref": "y"}
            found.append({"type": "line", "line": line, **ends})
        return found


def _window(values: NDArray[np.float64], sign: int, alone: float) -> Window:
    """What is seen of a metric: by the better half, and the single-task networks."""
    known = np.sort(sign * values[np.isfinite(values)])
    core = np.append(sign * known[: max(2, len(known) // 2)], alone)
    return window(np.append(values, alone), core=core, sign=sign)


TRADEOFF = View(
    key="tradeoff",
    title="Task trade-off",
    says="what a trial gains on one task and pays on another",
    draw=tradeoff,
    of_functions=False,
    of_fronts=True,
)
