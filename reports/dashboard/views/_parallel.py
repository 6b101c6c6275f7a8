"""The best trials of a search in parallel coordinates."""

from __future__ import annotations

from functools import partial

import numpy as np

from reports._naming import point_of
from reports.dashboard.views._stills import best_rows, csv_of, pictures
from reports.dashboard.views._view import Drawn, Seen, Undrawn, View
from reports.drawing import Sketch
from reports.drawing._parallel import MOST_LINES, Line, parallel
from search_spaces.lineage import without_origin

_CAPTION = (
    "The best {n} trials: a line crosses each axis at the trial’s parameter, the last one at its "
    "value. Red is the best one, faint are the worse ones. Where good trials meet shows where they "
    "are, not how much a parameter matters."
)


def parallel_coordinates(seen: Seen) -> Drawn | Undrawn:
    """One search at a time."""
    chosen = seen.search(lambda cloud: bool(cloud.varied()))
    if chosen is None:
        return Undrawn(reason="No method has finished trials in which a parameter varies yet.")
    cloud = seen.cloud.of(chosen.chosen)
    order = np.argsort(cloud.key, kind="stable")
    best = [int(at) for at in order if np.isfinite(cloud.key[at])][:MOST_LINES]
    names = tuple(cloud.varied())
    lines = [
        Line(
            point=without_origin(point_of(seen.point(int(cloud.at[at])))),
            value=float(cloud.value[at]),
            said=cloud.said(at, *(n for n in names if np.isfinite(cloud.parameters[n][at]))),
            href=cloud.link(at),
        )
        for at in best
    ]
    sketch = parallel([_spread(line, seen.cloud.tasks) for line in lines], cloud.objective)
    if sketch is None:
        return Undrawn(reason="Its best trials do not differ yet.", choices=(chosen,))
    heads, rows = best_rows(cloud, names)

    def draw(most: int) -> tuple[Sketch, str]:  # noqa: ARG001 - fifty lines fit everywhere
        return sketch, ""

    return Drawn(
        pictures=pictures(draw, label="The best trials in parallel coordinates"),
        choices=(chosen,),
        caption=_CAPTION.format(n=len(lines)),
        heads=heads,
        rows=rows,
        csv=partial(csv_of, cloud, names),
    )


def _spread(line: Line, tasks: tuple[str, ...]) -> Line:
    """With an axis a task weight."""
    point = dict(line.point)
    weights = point.pop("task_weights", ())
    named = {f"w_{task}": weight for task, weight in zip(tasks, weights, strict=False)}
    return Line(point={**point, **named}, value=line.value, said=line.said, href=line.href)


PARALLEL = View(
    key="parallel",
    title="Parallel coordinates",
    says="where the best trials are in all parameters at once",
    draw=parallel_coordinates,
)
