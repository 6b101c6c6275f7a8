"""The best trials in parallel coordinates: one line a trial, one axis a parameter."""

import json

import plotly.graph_objects as go

from reports._ranking import number, objective_of
from reports.drawing._parallel import MOST_LINES, Line, parallel, said
from reports.figures._none import NoFigure
from reports.figures._style import figure_of
from reports.frames import StudyFrames
from reports.trials import SearchTrials, TrialRow, ranked
from search_spaces.lineage import origin_said, without_origin


def parallel_coordinates(frames: StudyFrames, search: SearchTrials) -> go.Figure | NoFigure:
    """The best fifty trials: each parameter that varies has an axis, the value the last one."""
    objective = objective_of(frames, search.search)
    lines = [
        Line(
            point=without_origin(json.loads(row.params)),
            value=row.value,
            said=f"trial {row.number}: {number(objective, row.value)}{_point(row)}",
        )
        for row in ranked(search)
        if row.value is not None
    ]
    sketch = parallel(lines[:MOST_LINES], objective)
    if sketch is None:
        return NoFigure(reason=f"Trials of `{search.search}` with a value do not differ yet.")
    return figure_of(sketch)


def _point(row: TrialRow) -> str:
    pairs = json.loads(row.params).items()
    return "".join(f"<br>{name} {origin_said(value) or said(value)}" for name, value in pairs)
