"""What runs show beside their metrics: histograms over training, and lines with bands."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports._palette import task_colour, translucent
from reports.drawing._panels import axes_of, panels
from reports.drawing._sketch import Sketch
from reports.drawing._trace import Trace, scatter

_MOST_PANELS: Final = 8
_DASHES: Final = ("solid", "dash", "dot")
_NAMED: Final = 10  # values of a logarithmic axis that have each their tick
_HEIGHT_PX: Final = 420
_LONGEST_BELOW: Final = 16  # letters, of a panel on a phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was shown at the end of an epoch.

    Attributes:
        round: Which time training had begun anew.
        content: As `docs/reference/exhibits.md` has it for its kind.
    """

    round: int
    epoch: int
    content: Mapping[str, Any]

    def said(self, *, rounds: bool) -> str:
        """``Epoch 3``, or ``Round 2, epoch 13`` where there are several."""
        return f"Round {self.round}, epoch {self.epoch}" if rounds else f"Epoch {self.epoch}"


def histograms(moments: Sequence[Moment]) -> tuple[Sketch, Sequence[Moment]]:
    """A panel for each of a few epochs, evenly spaced; and which these are.

    A group's bins are told as shares of the group, so that a small one is seen beside a large one.
    """
    shown = _few(moments)
    titles = _titles(shown)
    traces = [
        trace
        for panel, moment in enumerate(shown)
        for trace in _bins(moment.content, panel, _labels(shown))
    ]
    high = max((float(np.max(trace["y"])) for trace in traces), default=1.0) or 1.0
    edges = [edge for moment in shown for edge in moment.content["edges"]]
    sketch = panels(
        traces,
        titles,
        x={"title": _below(shown), "nticks": 4, "range": [min(edges), max(edges)]},
        y={"title": "Share of the group (%)", "range": [0, 1.06 * high], "nticks": 4},
    )
    return sketch, shown


def curves(moments: Sequence[Moment]) -> tuple[Sketch, Sequence[Moment]]:
    """A panel for each of the latest rounds; of one round, one large panel."""
    shown = moments[-_MOST_PANELS:]
    content, labels = shown[-1].content, _labels(shown)
    traces = [
        trace
        for panel, moment in enumerate(shown)
        for trace in _lines(moment.content, panel, labels)
    ]
    x = {"title": _below(shown), "nticks": 4, **_log_axis(shown)}
    y = {"title": content["y_title"], "nticks": 6}
    if len(shown) > 1:
        return panels(traces, _titles(shown), x=x, y=y), shown
    large = {
        "height": _HEIGHT_PX,
        "showlegend": len(labels) > 1,
        "margin": {"l": 56, "r": 10, "t": 16, "b": 80},
        "xaxis": {**x, "nticks": 6, "title": {"text": content["x_title"]}},
        "yaxis": {**y, "title": {"text": y["title"]}},
    }
    return Sketch(traces=traces, layout=large), shown


def beside(shown: Sequence[Moment]) -> str:
    """What the horizontal axes stand for, if that is too long to be written below each."""
    title = str(shown[-1].content["x_title"])
    return title if len(shown) > 1 and len(title) > _LONGEST_BELOW else ""


def _below(shown: Sequence[Moment]) -> str:
    return "" if beside(shown) else str(shown[-1].content["x_title"])


def _few(moments: Sequence[Moment]) -> Sequence[Moment]:
    """The first, the last and some between."""
    n = len(moments)
    places = np.unique(np.linspace(0, n - 1, min(n, _MOST_PANELS)).round().astype(np.int64))
    return [moments[at] for at in places.tolist()]


def _titles(shown: Sequence[Moment]) -> list[str]:
    several = len({moment.round for moment in shown}) > 1
    return [moment.said(rounds=several) for moment in shown]


def _labels(shown: Sequence[Moment]) -> list[str]:
    """Groups or lines in the order in which they first come."""
    found = (
        label
        for moment in shown
        for label in moment.content.get("counts", moment.content.get("points", ()))
    )
    return list(dict.fromkeys(found))


def _look(labels: Sequence[str], label: str, panel: int) -> dict[str, Any]:
    return {
        "legendgroup": label,
        "name": label,
        "mode": "lines",
        "line": {
            "width": 2,
            "color": task_colour(labels.index(label)),
            "dash": _DASHES[labels.index(label) % len(_DASHES)],
        },
        **axes_of(panel),
    }


def _bins(content: Mapping[str, Any], panel: int, labels: Sequence[str]) -> Iterator[Trace]:
    edges = np.asarray(content["edges"], dtype=np.float64)
    for label, counts in content["counts"].items():
        heights = np.asarray(counts, dtype=np.float64)
        share = 100 * heights / (heights.sum() or 1.0)
        x, y = np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(share, 2), [0.0]])
        yield scatter(
            x=x,
            y=y,
            fill="toself",
            fillcolor=translucent(task_colour(labels.index(label)), 0.16),
            showlegend=panel == 0,
            hovertemplate="%{x:.4g}: %{y:.1f} %<extra>%{fullData.name}</extra>",
            **_look(labels, label, panel),
        )


def _lines(content: Mapping[str, Any], panel: int, labels: Sequence[str]) -> Iterator[Trace]:
    bands: Mapping[str, Sequence[Sequence[float]]] = content.get("intervals", {})
    for label, points in content["points"].items():
        look = _look(labels, label, panel)
        if bands.get(label):
            x, low, high = _columns(bands[label])
            yield scatter(
                x=np.concatenate([x, x[::-1]]),
                y=np.concatenate([high, low[::-1]]),
                fill="toself",
                fillcolor=translucent(task_colour(labels.index(label)), 0.14),
                hoverinfo="skip",
                showlegend=False,
                **{**look, "line": {"width": 0}},
            )
        if points:
            x, y = _columns(points)
            yield scatter(
                x=x,
                y=y,
                marker={"color": look["line"]["color"], "size": 6},
                showlegend=panel == 0,
                hovertemplate="%{x:.4g}: %{y:.4g}<extra>%{fullData.name}</extra>",
                **{**look, "mode": "lines+markers" if len(x) <= _NAMED else "lines"},
            )


def _columns(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.asarray(rows, dtype=np.float64).T


def _log_axis(shown: Sequence[Moment]) -> dict[str, Any]:
    """Of a logarithmic axis with few values, these, else doublings: ``1/8`` to ``4``."""
    if not shown[-1].content.get("x_log"):
        return {}
    values = sorted(
        {x for one in shown for points in one.content["points"].values() for x, _ in points}
    )
    if len(values) > _NAMED:
        octaves = range(math.ceil(math.log2(values[0])), math.floor(math.log2(values[-1])) + 1)
        if not 2 <= len(octaves) <= _NAMED:
            return {"type": "log"}
        values = [2.0**octave for octave in octaves]
    return {"type": "log", "tickvals": values, "ticktext": [_fraction(value) for value in values]}


def _fraction(value: float) -> str:
    parts = 1 / value
    is_part = 1 < parts < 100 and abs(parts - round(parts)) < 1e-9
    return f"1/{round(parts)}" if is_part else f"{value:.4g}"
