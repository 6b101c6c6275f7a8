"""Where in the space of task weights a search did well: a map, a line, or a panel a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.showing.binning import dots
from reports.dashboard.views._cloud import Cloud
from reports.dashboard.views._parameter import against
from reports.dashboard.views._stills import (
    best_rows,
    csv_of,
    few_stops,
    kept,
    links_of,
    pictures,
)
from reports.dashboard.views._view import Choice, Drawn, Seen, Undrawn, View
from reports.drawing import Sketch
from reports.drawing._panels import axes_of, panels
from reports.drawing._simplex_marks import Shades, limits_of, shaded
from reports.drawing._ternary import Vectors, ternary
from reports.drawing._trace import Trace, scatter

_MAP: Final = (
    "Each cell or dot is a vector of task weights, coloured by its best mean validation value; the "
    "ring marks the best. A corner gives all weight to one task."
)
_PAIRS: Final = (
    "Each panel is a pair of tasks, each dot a vector of task weights: the weight of the first "
    "across, of the second up, scaled to a sum of one over all tasks. "
    "Bright is better; red is the best."
)
_CLIPPED: Final = " Colours are clipped at the 90th percentile."
_MOST_TASKS: Final = 4
_BEST: Final = "#d6425c"


def simplex(seen: Seen) -> Drawn | Undrawn:
    """The weights of one search."""
    names = tuple(f"w_{task}" for task in seen.cloud.tasks)
    if len(names) < 2 or not set(names) <= seen.cloud.parameters.keys():
        return Undrawn(reason="No method has finished trials with task weights of their own.")
    chosen = seen.search(lambda cloud: bool(np.isfinite(cloud.parameters[names[0]]).any()))
    if chosen is None:
        return Undrawn(reason="No method has finished trials with task weights of their own.")
    if len(names) == 2:
        return against(seen, names[0], ())
    every = seen.cloud.of(chosen.chosen)
    cloud = _best_by_weights(every, names)
    if len(names) == 3:
        return _drawn(cloud, names, (chosen,), _Triangle(cloud, names, _titles(seen)).sketch, _MAP)
    pairs = _Pairs(cloud, names, _titles(seen))
    tasks = [
        seen.choice(f"task{at + 1}", f"Task {at + 1}", _options(seen, at))
        for at in range(_MOST_TASKS)
    ]
    places = list(dict.fromkeys(seen.cloud.tasks.index(one.chosen) for one in tasks))
    if len(places) < 2:
        return Undrawn(reason="Choose two tasks that are not the same.", choices=(chosen, *tasks))
    sketch = partial(pairs.sketch, places)
    return _drawn(cloud, names, (chosen, *tasks), sketch, _PAIRS)


def _titles(seen: Seen) -> list[str]:
    return [str(task.get("title", task["name"])) for task in seen.record.card.get("tasks", ())]


def _options(seen: Seen, first: int) -> list[tuple[str, str]]:
    """All tasks, the one at `first` in front, which is chosen if nothing is said."""
    found = list(zip(seen.cloud.tasks, _titles(seen), strict=True))
    return [found[first], *found[:first], *found[first + 1 :]]


def _drawn(
    cloud: Cloud,
    names: tuple[str, ...],
    choices: tuple[Choice, ...],
    sketch: Callable[[int], tuple[Sketch, str]],
    caption: str,
) -> Drawn:
    heads, rows = best_rows(cloud, names)
    return Drawn(
        pictures=pictures(sketch, label=f"{cloud.axis} by task weights"),
        choices=choices,
        caption=caption + _CLIPPED,
        heads=heads,
        rows=rows,
        csv=partial(csv_of, cloud, names),
    )


def _best_by_weights(cloud: Cloud, names: tuple[str, ...]) -> Cloud:
    """The best trial of each vector of weights, which then sum to one."""
    weights = np.column_stack([cloud.parameters[name] for name in names])
    known = (np.isfinite(weights) & (weights >= 0)).all(axis=1) & (weights.sum(axis=1) > 0)
    cloud, weights = cloud.only(known), weights[known]
    shares = (weights / weights.sum(axis=1, keepdims=True)).round(9)
    order = np.lexsort((np.arange(len(cloud)), cloud.key, *shares.T))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(shares[order], axis=0) != 0).any(axis=1)
    chosen = np.sort(order[first])
    scaled = dict(zip(names, shares[chosen].T, strict=True))
    return cloud.only(chosen).with_parameters(scaled)


class _Triangle:
    """Three tasks."""

    def __init__(self, cloud: Cloud, names: tuple[str, ...], titles: list[str]) -> None:
        self._cloud, self._names, self._titles = cloud, names, titles

    def sketch(self, most: int) -> tuple[Sketch, str]:
        """The drawing, and how many vectors a dot stands for."""
        cloud, names = self._cloud, self._names
        first, _, third = (cloud.parameters[name] for name in names)
        found = dots(third + first / 2, first, keep=kept(cloud), most=most)
        shown = cloud.only(found.at)
        best = Vectors(
            weights=np.column_stack([shown.parameters[name] for name in names]),
            key=shown.key,
            ended=shown.lost.tolist(),
            trials=shown.number,
        )
        stops = few_stops(cloud, np.isfinite(cloud.key))
        links = links_of(cloud, found.at, found.n, stops, names)
        made = ternary(best, self._titles, cloud.objective, links=links)
        return made, found.said


class _Pairs:
    """More tasks than a triangle has corners."""

    def __init__(self, cloud: Cloud, names: tuple[str, ...], titles: list[str]) -> None:
        self._cloud, self._names, self._titles = cloud, names, titles
        self._shades = Shades(objective=cloud.objective, limits=limits_of(cloud.key))

    def sketch(self, tasks: list[int], most: int) -> tuple[Sketch, str]:
        """A panel a pair of the tasks, and how many vectors a dot stands for."""
        pairs = list(combinations(tasks, 2))
        traces: list[Trace] = []
        said = ""
        for panel, pair in enumerate(pairs):
            made, said = self._panel(panel, pair, most // len(pairs))
            traces += made
        named = [f"{self._titles[a]} → × {self._titles[b]} ↑" for a, b in pairs]
        axis = {"range": [-0.04, 1.04], "tickvals": [0, 0.5, 1]}
        sketch = panels(
            traces,
            named,
            x={"title": "Weight of the first", **axis},
            y={"title": "of the second", **axis},
            legend=False,
        )
        return sketch, said

    def _panel(self, panel: int, pair: tuple[int, int], most: int) -> tuple[Iterator[Trace], str]:
        cloud = self._cloud
        x, y = (cloud.parameters[self._names[task]] for task in pair)
        found = dots(x, y, keep=kept(cloud), most=most)
        best = int(np.argmin(cloud.key))
        # good ones lie over bad ones
        order = found.at[np.argsort(-cloud.key[found.at], kind="stable")]
        n = dict(zip(found.at.tolist(), found.n.tolist(), strict=True))
        return self._traces(panel, x, y, order, n, best), found.said

    def _traces(
        self,
        panel: int,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        order: NDArray[np.int64],
        n: dict[int, int],
        best: int,
    ) -> Iterator[Trace]:
        cloud = self._cloud
        marker = {
            name: value
            for name, value in shaded(cloud.key[order], self._shades).items()
            if name != "colorbar"
        }
        many = np.array([n[at] for at in order.tolist()])
        stops = few_stops(cloud, np.arange(len(cloud)) == best)
        yield scatter(
            x=x[order],
            y=y[order],
            mode="markers",
            marker={**marker, "size": 7},
            links=links_of(cloud, order, many, stops, self._names),
            **axes_of(panel),
        )
        ring = {"symbol": "circle-open", "size": 14, "color": _BEST, "line": {"width": 3}}
        yield scatter(x=x[[best]], y=y[[best]], mode="markers", marker=ring, **axes_of(panel))


SIMPLEX = View(
    key="simplex",
    title="Task weights",
    says="where on the simplex of task weights good trials are",
    draw=simplex,
    of_functions=False,
)
