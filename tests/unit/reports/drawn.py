"""What figures show, for the tests of figures."""

from typing import Any

import plotly.graph_objects as go

from reports import StudyFrames, load
from reports.figures import NoFigure
from tests.unit.reports import synthetic


def drawn(figure: go.Figure | NoFigure) -> go.Figure:
    assert isinstance(figure, go.Figure)
    return figure


def is_line(trace: Any, name: str | None = None) -> bool:
    """Whether a trace is a method's line, of one method or any."""
    return trace.mode == "lines+markers" and name in (None, trace.name)


def lines(figure: go.Figure) -> dict[str, Any]:
    """The method lines that are visible at first, by name."""
    shown = (t for t in figure.data if t.visible in (None, True) and is_line(t))
    return {trace.name: trace for trace in shown}


def moved(search: str, *, by: float) -> StudyFrames:
    """A study in which the delta_m of a search is moved by so many points."""
    made = synthetic.reader()
    for row in made.rows["run_results"]:
        if row["search"] == search:
            row["delta_m_test"] += by
            row["delta_m_val"] += by
    return load(made, synthetic.STUDY)
