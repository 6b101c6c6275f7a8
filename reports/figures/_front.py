"""The front of several objectives, and how much of it each method has after spending so much."""

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from reports._palette import OTHERS, TraceStyle, look, translucent
from reports._ranking import axis_title, better, hover
from reports._titles import weighting_of
from reports.drawing._trace import Trace, scatter
from reports.figures._none import NoFigure
from reports.figures._style import styled
from reports.frames import StudyFrames
from reports.spending.axes import AXES
from reports.spending.front import Front, MethodFront, VolumeCurve, front_of, volume_curves

_NONE: Final = "No trial has all its seeds yet."


def task_front(frames: StudyFrames) -> go.Figure | NoFigure:
    """The front of each method by the first two objectives on validation, one line a method.

    Further objectives are read by the pointer; a line joins points that none beats in all of
    them, so it may bend back.
    """
    found = front_of(frames)
    if found is None:
        return NoFigure(reason=_NONE)
    titles = [
        f"{axis_title(one, 'Validation')}, {better(one)} is better" for one in found.objectives
    ]
    return styled(
        go.Figure([_front(frames, found, method) for method in found.methods]),
        height=520,
        xaxis={"title": {"text": titles[0]}, "nticks": 6},
        yaxis={"title": {"text": titles[1]}},
        showlegend=True,
        margin={"b": 110},
    )


def _front(frames: StudyFrames, found: Front, method: MethodFront) -> Trace:
    style = _look(frames, method.search)
    said = [
        f"{one.name} {hover(one, f'customdata[{at}]')}"
        for at, one in enumerate(found.objectives, start=1)
    ]
    return scatter(
        x=method.validation[:, 0],
        y=method.validation[:, 1],
        mode="lines+markers",
        line={"width": 1.2, "dash": "dot", "color": translucent(style.colour, 0.8)},
        marker={
            "symbol": style.symbol,
            "size": np.where(method.shared, 11.0, 7.0),
            "color": style.colour,
            "line": {"width": 0},
        },
        name=method.title,
        customdata=np.column_stack([method.trials, method.validation]),
        hovertemplate=f"<b>%{{fullData.name}}</b>, trial %{{customdata[0]:.0f}}<br>"
        f"{'<br>'.join(said)}<extra></extra>",
    )


def volume_versus_cost(frames: StudyFrames) -> go.Figure | NoFigure:
    """The share of the box that each method's front beats on validation, against its cost."""
    curves = volume_curves(frames)
    if not curves:
        return NoFigure(reason=_NONE)
    return styled(
        go.Figure([_curve(frames, curve) for curve in curves]),
        height=460,
        xaxis={
            "type": "log",
            "title": {"text": AXES[curves[0].axis].title},
            "nticks": 5,
            "tickformat": ",~r",
        },
        yaxis={"title": {"text": "Hypervolume, share of the box"}, "range": [0.0, 1.02]},
        showlegend=True,
        margin={"b": 110},
    )


def _curve(frames: StudyFrames, curve: VolumeCurve) -> Trace:
    style = _look(frames, curve.search)
    line: dict[str, Any] = {"shape": "hv", "width": 2.4, "color": style.colour}
    return scatter(
        x=curve.cost,
        y=curve.volume,
        mode="lines+markers",
        line=line,
        marker={"symbol": style.symbol, "size": 5, "color": style.colour, "line": {"width": 0}},
        name=curve.title,
        customdata=curve.n_trials[:, None],
        hovertemplate="<b>%{fullData.name}</b><br>%{y:.1%} of the box<br>"
        f"trials: %{{customdata[0]:.0f}}<br>%{{x:,.4~r}} {AXES[curve.axis].unit}<extra></extra>",
    )


def _look(frames: StudyFrames, search: str) -> TraceStyle:
    """That of the weighting; searches that share one have looks of their own."""
    weighting = weighting_of(frames, search)
    searches = frames.searches_alone if frames.of_function else frames.searches
    twins = [one for one in searches if weighting_of(frames, one) == weighting]
    return look(weighting) if len(twins) == 1 else OTHERS[twins.index(search) % len(OTHERS)]
