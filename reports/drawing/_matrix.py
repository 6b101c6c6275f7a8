"""Matrices side by side: a panel each, a coloured cell a value, which is written where it fits."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from reports._ranking import number, short
from reports.drawing._panels import axes_of, columns_of, panels, suffix
from reports.drawing._shades import shades
from reports.drawing._simplex_marks import limits_of
from reports.drawing._sketch import Sketch, changed
from reports.drawing._trace import Trace, scatter
from storage.objectives import Objective

_WIDTH_PX: Final = {"wide": 960.0, "narrow": 270.0}  # of all panels together
_VALUE_PX: Final = 36.0  # that a value takes at least
_LETTER_PX: Final = 7.2
_LONGEST: Final = 16  # letters of a row's name
_GAP: Final = 0.03  # between cells, of their size
_DARK: Final = 0.45  # level from which on a colour is dark
_ON_DARK, _ON_BRIGHT = "#ffffff", "#1d1a16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One panel.

    Attributes:
        title: Stands above it.
        values: ``[T][T]``, in the objective's own unit: rows, then columns; None where nothing is
            asked, NaN without a final value, infinite where all diverged.
    """

    title: str
    values: Sequence[Sequence[float | None]]


def matrices(
    found: Sequence[Matrix],
    names: Sequence[str],
    objective: Objective,
    *,
    scale: Sequence[float],
    row: str,
    column: str,
) -> Sketch:
    """One panel a matrix; the best value is the brightest.

    Args:
        names: ``[T]``, of the rows and of the columns.
        scale: Values that the colours go by: those of all drawings that are to look alike.
        row: What the rows are, in a word.
        column: What the columns are.
    """
    keys = np.array([objective.sign * value for value in scale if math.isfinite(value)])
    level = _Levels(limits_of(keys))
    traces = [
        trace
        for at, one in enumerate(found)
        for trace in _panel(one, names, objective, level, axes_of(at))
    ]
    places, ends = np.arange(len(names)), (-0.5, len(names) - 0.5)
    axis = {"tickvals": places, "showgrid": False, "showline": False, "ticks": ""}
    sketch = panels(
        traces,
        [one.title for one in found],
        x={**axis, "title": column, "ticktext": [*names], "range": [*ends], "tickangle": 0},
        y={**axis, "title": row, "ticktext": _cut(names, _LONGEST), "range": [*ends[::-1]]},
        legend=False,
    )
    layout = {**sketch.layout, "margin": {**sketch.layout["margin"], "l": _left_px(names)}}
    written = list(_written(found, objective, level))
    notes, n_titles = [*layout["annotations"], *written], len(found)
    fits = {
        page: {**fit, **_fit(page, names, n_titles, len(written))}
        for page, fit in layout["meta"].items()
    }
    layout = {**layout, "annotations": notes, "meta": fits}
    return Sketch(traces=sketch.traces, layout=changed(layout, fits["wide"]))


@dataclass(frozen=True, slots=True)
class _Levels:
    """From keys, lower is better, to levels of colour: 0 is the best.

    Attributes:
        limits: Keys of the best colour and of the worst.
    """

    limits: tuple[float, float]

    def __call__(self, key: float) -> float:
        low, high = self.limits
        return min(max((key - low) / (high - low), 0.0), 1.0)


def _cells(found: Sequence[Matrix]) -> Iterator[tuple[int, int, int, float]]:
    """Panel, row, column and value of each cell that is asked."""
    for panel, one in enumerate(found):
        for row, values in enumerate(one.values):
            for column, value in enumerate(values):
                if value is not None:
                    yield panel, row, column, value


def _panel(
    one: Matrix, names: Sequence[str], objective: Objective, level: _Levels, axes: Mapping[str, str]
) -> Iterator[Trace]:
    """A filled square for each value, and what the pointer reads."""
    half = 0.5 - _GAP
    cells = list(_cells([one]))
    for _, row, column, value in cells:
        if math.isfinite(value):
            colour = shades(np.array([level(objective.sign * value)]))[0]
            yield scatter(
                x=column + half * np.array([-1.0, 1.0, 1.0, -1.0, -1.0]),
                y=row + half * np.array([-1.0, -1.0, 1.0, 1.0, -1.0]),
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=colour,
                hoverinfo="skip",
                showlegend=False,
                **axes,
            )
    yield scatter(
        x=np.array([column for *_, column, _ in cells], dtype=np.float64),
        y=np.array([row for _, row, *_ in cells], dtype=np.float64),
        mode="markers",
        marker={"size": 24, "opacity": 0.0},
        text=[
            f"{names[row]}, {names[column]}: {_said(objective, value)}"
            for _, row, column, value in cells
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
        **axes,
    )


def _said(objective: Objective, value: float) -> str:
    if math.isnan(value):
        return "no final value"
    return number(objective, value) if math.isfinite(value) else "diverged"


def _written(
    found: Sequence[Matrix], objective: Objective, level: _Levels
) -> Iterator[dict[str, Any]]:
    """The values in their cells."""
    for panel, row, column, value in _cells(found):
        text = "–" if math.isnan(value) else "div."
        if math.isfinite(value):
            dark = level(objective.sign * value) > _DARK
            colour = _ON_DARK if dark else _ON_BRIGHT
            text = f'<span style="color:{colour}">{short(objective, value)}</span>'
        yield {
            "text": text,
            "x": column,
            "y": row,
            "xref": f"x{suffix(panel)}",
            "yref": f"y{suffix(panel)}",
            "showarrow": False,
            "font": {"size": 12},
        }


def _fit(page: str, names: Sequence[str], n_panels: int, n_values: int) -> Mapping[str, Any]:
    """What differs on a page: names as long as cells are wide, values where they fit."""
    cell_px = _WIDTH_PX[page] / columns_of(n_panels, page) / len(names)
    letters = max(2, int(cell_px / _LETTER_PX) - 1)
    fit: dict[str, Any] = {
        f"xaxis{suffix(panel)}.ticktext": _cut(names, letters) for panel in range(n_panels)
    }
    for at in range(n_panels, n_panels + n_values):
        fit[f"annotations[{at}].visible"] = cell_px >= _VALUE_PX
    return fit


def _left_px(names: Sequence[str]) -> int:
    """Room for the names of rows, and for their title."""
    longest = max(len(name) for name in _cut(names, _LONGEST))
    return 40 + math.ceil(_LETTER_PX * longest)


def _cut(names: Sequence[str], letters: int) -> list[str]:
    return [one if len(one) <= letters else f"{one[: letters - 1]}…" for one in names]
