"""Which parameters matter: a bar a parameter, and for each way to ask."""

from collections.abc import Iterator, Sequence

import numpy as np

from reports._importance import Importance
from reports._naming import called
from reports._palette import task_colour, translucent
from reports.drawing._sketch import Sketch
from reports.drawing._style import TEXT
from reports.drawing._trace import Trace, scatter
from reports.measures import FloatArray

_ROW_PX = 26
_AROUND_PX = 130  # axis, title and legend
_BAR_PX = 11
_BESIDE = 0.8  # of the room of a parameter, that its bars take


def bars(found: Sequence[Importance]) -> Sketch:
    """Shares of one search's parameters with their 95 % intervals over seeds.

    Args:
        found: The answers for the search, one a way to ask; not empty.
    """
    params = list(dict.fromkeys(one.param for answer in found for one in answer.shares))
    step = _BESIDE / len(found)
    traces = [
        trace
        for at, answer in enumerate(found)
        for trace in _bars(answer, params, (at - (len(found) - 1) / 2) * step, task_colour(at))
    ]
    layout = {
        "height": _AROUND_PX + _ROW_PX * len(params) * len(found),
        "showlegend": True,
        "xaxis": {"title": {"text": "Share in %"}, "range": [0, 104], "nticks": 6},
        "yaxis": {
            "tickvals": np.arange(len(params)),
            "ticktext": [called(param) for param in params],
            "range": [len(params) - 0.5, -0.5],
            "showgrid": False,
        },
        "margin": {"l": 110, "r": 16, "t": 28, "b": 92},
    }
    return Sketch(traces=traces, layout=layout)


def _bars(answer: Importance, params: list[str], shift: float, colour: str) -> Iterator[Trace]:
    """The bars of one answer, and over them the lines of their intervals."""
    place = np.array([params.index(one.param) + shift for one in answer.shares])
    value = np.array([100 * one.value for one in answer.shares])
    known = [one.interval for one in answer.shares]
    low, high = (
        np.array(
            [np.nan if one is None else 100 * end for one, end in zip(known, ends, strict=True)]
        )
        for ends in (
            [one.low if one else 0.0 for one in known],
            [one.high if one else 0.0 for one in known],
        )
    )
    x, y = _pieces(np.zeros_like(value), value, place)
    yield scatter(
        x=x,
        y=y,
        mode="lines",
        line={"width": _BAR_PX, "color": translucent(colour, 0.75)},
        name=answer.method,
        hovertemplate=f"%{{x:.0f}} %<extra>{answer.method}</extra>",
    )
    x, y = _pieces(low, high, place)
    line = {"width": 1.6, "color": TEXT}
    yield scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _pieces(begin: FloatArray, end: FloatArray, place: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lines from begin to end, ``[n]`` each, as one with gaps, ``[3n]``."""
    gap = np.full_like(place, np.nan)
    return np.column_stack([begin, end, gap]).ravel(), np.column_stack([place, place, gap]).ravel()
