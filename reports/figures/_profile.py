"""In how many problems each method is how near to the best one: performance profiles."""

import numpy as np
import plotly.graph_objects as go

from reports._palette import look
from reports.across.comparison import StudiesComparison
from reports.across.standings import Standing
from reports.comparing.wording import gaps_of
from reports.drawing._style import LINE
from reports.drawing._trace import Trace, scatter
from reports.figures._none import NoFigure
from reports.figures._style import styled

_DASHES = ("solid", "dash", "dot", "dashdot")


def performance_profile(comparison: StudiesComparison) -> go.Figure | NoFigure:
    """One step function a method: the share of problems in which it is within x of the best.

    Of one problem, the share of its studies.
    """
    ranking = comparison.ranking
    if ranking is None:
        return NoFigure(reason="Fewer than two methods have a final value in two studies or more.")
    gaps, n_problems = gaps_of(comparison.objective), ranking.n_problems
    known = [gap for one in ranking.standings for gap in one.gaps.values() if np.isfinite(gap)]
    end = 1.05 * max([*known, comparison.margin or 0.0]) or 1.0
    shown = gaps.shown.lstrip("+")
    traces = [
        _line(standing, end, at, f"%{{x:{shown}}} {gaps.unit}".strip())
        for at, standing in enumerate(ranking.standings)
    ]
    unit = f", in {gaps.unit}" if gaps.unit else ""
    where = "above" if comparison.objective.sign > 0 else "below"
    return styled(
        go.Figure(traces),
        height=420,
        showlegend=True,
        xaxis={
            "title": {"text": f"Test {comparison.objective.title} {where} the best one{unit}"},
            "range": [-0.02 * end, end],
            "nticks": 6,
        },
        yaxis={
            "title": {"text": f"Share of {'problems' if n_problems > 1 else 'studies'}, in %"},
            "range": [-3, 103],
            "nticks": 6,
        },
        shapes=_margin(comparison.margin),
        margin={"b": 108},
    )


def _line(standing: Standing, end: float, at: int, hover: str) -> Trace:
    steps = sorted({0.0, *(gap for gap in standing.gaps.values() if np.isfinite(gap))})
    shares = [100 * standing.share_within(gap) for gap in steps]
    style = look(standing.method.weighting)
    return scatter(
        x=np.array([*steps, end]),
        y=np.array([*shares, shares[-1]]),
        mode="lines",
        line={"shape": "hv", "width": 2.4, "color": style.colour, "dash": _DASHES[at % 4]},
        name=standing.method.title,
        hovertemplate=f"within {hover}: %{{y:.0f}} %<extra>%{{fullData.name}}</extra>",
    )


def _margin(margin: float | None) -> list[dict[str, object]]:
    """A line at the margin, if there is one."""
    if margin is None:
        return []
    line = {"color": LINE, "width": 1.5, "dash": "dot"}
    ends = {"x0": margin, "x1": margin, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain"}
    return [{"type": "line", "layer": "below", "line": line, **ends}]
