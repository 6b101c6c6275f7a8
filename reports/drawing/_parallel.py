"""Trials in parallel coordinates: one line a trial, one axis a parameter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from reports._naming import called
from reports._palette import translucent
from reports.drawing._marks import short
from reports.drawing._sketch import Link, Sketch, changed
from reports.drawing._style import LINE
from reports.drawing._trace import Trace, scatter
from reports.measures import FloatArray
from storage.objectives import Objective

_HUE, _BEST = "#1f77d0", "#d6425c"
MOST_LINES = 50
_MOST_AXES = 10
_WIDTH_PX = {"wide": 1016, "narrow": 334}  # of all axes together
_LETTER_PX, _LINE_PX = 6.8, 16  # of their names
_DECADES = 10.0  # of values at least that far apart in ratio, equal ratios are equally far apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trial.

    Attributes:
        point: Its parameters.
        value: What it came to, finite.
        said: What the pointer says of it.
        href: Where a click on it leads; empty for nowhere.
    """

    point: Mapping[str, Any]
    value: float
    said: str
    href: str = ""


def parallel(lines: Sequence[Line], objective: Objective) -> Sketch | None:
    """Each parameter that varies has an axis, the value the last one; None if nothing varies.

    Axes of positive numbers that span a decade are logarithmic; others linear; what is no number
    has a place a value. The worse a trial, the fainter its line; the best one is drawn over all.

    Args:
        lines: Best first.
    """
    names = dict.fromkeys(name for line in lines for name in line.point)
    axes = [_Axis.of(name, [line.point.get(name) for line in lines]) for name in names]
    axes = [axis for axis in axes if len(set(axis.places)) > 1][:_MOST_AXES]
    if len(lines) < 2 or not axes:
        return None
    values = np.array([line.value for line in lines], dtype=np.float64)
    axes.append(_Axis.of(objective.title, values.tolist()))
    key = objective.sign * values
    level = (key - key.min()) / (np.ptp(key) or 1.0)
    looks = [{"width": 1.6, "color": translucent(_HUE, 0.9 - 0.7 * part)} for part in level]
    looks[0] = {"width": 3.2, "color": _BEST}
    order = reversed(range(len(lines)))
    named = [*(called(axis.name) for axis in axes[:-1]), axes[-1].name]
    fits = {page: _fit(named, width_px) for page, width_px in _WIDTH_PX.items()}
    layout = {
        "height": 420,
        "showlegend": False,
        "xaxis": {
            "tickvals": np.arange(len(axes)),
            "range": [-0.35, len(axes) - 0.65],
            "showgrid": False,
            "showline": False,
            "side": "top",
        },
        "yaxis": {"visible": False, "range": [-0.1, 1.1]},
        "shapes": [_upright(at) for at in range(len(axes))],
        "annotations": [note for at, axis in enumerate(axes) for note in axis.notes(at)],
        "margin": {"l": 12, "r": 12, "b": 12},
        "meta": fits,
    }
    return Sketch(
        traces=[_line(axes, at, looks[at], lines[at]) for at in order],
        layout=changed(layout, fits["wide"]),
    )


def _fit(names: Sequence[str], width_px: float) -> Mapping[str, Any]:
    """Names of axes on a page, in lines as long as axes are apart."""
    letters = int(width_px / len(names) / _LETTER_PX)
    lines = [wrap(name, width=letters, break_long_words=False) for name in names]
    return {
        "xaxis.ticktext": ["<br>".join(one) for one in lines],
        "margin.t": 32 + _LINE_PX * max(map(len, lines)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """One upright axis.

    Attributes:
        places: Where each trial crosses it, from 0 to 1, ``[N]``; NaN where it has no value.
        marks: What is written beside it, by place.
    """

    name: str
    places: FloatArray
    marks: Mapping[float, str]

    @classmethod
    def of(cls, name: str, values: Sequence[Any]) -> "_Axis":
        """The axis of a parameter by the values that trials have; None for none."""
        known = [value for value in values if value is not None]
        numbers = [v for v in known if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(numbers) < len(known) or not np.isfinite(numbers).any():
            return cls._of_names(name, [said(value) for value in values])
        raw = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        raw[~np.isfinite(raw)] = np.nan
        low, high = float(np.nanmin(raw)), float(np.nanmax(raw))
        scaled = np.log(raw) if low > 0 and high / low >= _DECADES else raw
        least, most = float(np.nanmin(scaled)), float(np.nanmax(scaled))
        places = (scaled - least) / ((most - least) or 1.0)
        return cls(name=name, places=places, marks={0.0: short(low), 1.0: short(high)})

    @classmethod
    def _of_names(cls, name: str, values: Sequence[str]) -> "_Axis":
        known = sorted(set(values))
        at = {text: place / max(1, len(known) - 1) for place, text in enumerate(known)}
        places = np.array([at[text] for text in values])
        return cls(name=name, places=places, marks={place: text for text, place in at.items()})

    def notes(self, at: int) -> list[dict[str, Any]]:
        """The marks of the axis as annotations."""
        return [
            {"text": text, "x": at, "y": place, "showarrow": False, **_beside(place)}
            for place, text in self.marks.items()
        ]


def _beside(place: float) -> dict[str, Any]:
    """Above the axis, below it, or where lines cross it right of it."""
    size = {"font": {"size": 12}}
    if place == 1.0:
        return {"yanchor": "bottom", "yshift": 1, **size}
    if place == 0.0:
        return {"yanchor": "top", "yshift": -1, **size}
    return {"xanchor": "left", "xshift": 5, **size}


def _line(axes: Sequence[_Axis], at: int, look: Mapping[str, Any], line: Line) -> Trace:
    link = {"link": Link(line.href, line.said, True)} if line.href else {}
    return scatter(
        x=np.arange(len(axes), dtype=np.float64),
        y=np.array([axis.places[at] for axis in axes]),
        mode="lines",
        line=dict(look),
        text=[line.said] * len(axes),
        hovertemplate="%{text}<extra></extra>",
        **link,
    )


def said(value: Any) -> str:
    """A parameter's value in few characters."""
    return f"{value:.4g}" if isinstance(value, float) else "none" if value is None else str(value)


def _upright(at: int) -> dict[str, Any]:
    line = {"color": LINE, "width": 1}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": line, "layer": "below"}
