"""Small multiples: one panel a method, in as many columns as the page is wide."""

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from reports.drawing._marks import fewer
from reports.drawing._sketch import Sketch, changed
from reports.drawing._trace import Trace

_PANEL_PX = 190
_GAP_PX = 74  # between rows: tick labels, the next panel's title
_TOP_PX = 36  # the first titles
_LINE_PX = 17  # of a title that takes several lines
_LETTER_PX = 7.6
_WIDTH_PX = {"wide": 970, "narrow": 290}  # of all panels together
_BOTTOM_PX = 56  # an axis title
_LEGEND_PX = {"wide": (24, 940), "narrow": (22, 300)}  # height of a row, and its width
_ENTRY_PX = (56.0, 7.2)  # of a legend: its sign with gaps, a letter
_GAP = 0.05  # between columns, of the width
_COLUMNS = {"wide": 4, "narrow": 2}
_LABELS = {"wide": 6, "narrow": 3}


def axes_of(panel: int) -> dict[str, str]:
    """The axes of a panel (from 0), as a trace refers to them."""
    end = suffix(panel)
    return {"xaxis": f"x{end}", "yaxis": f"y{end}"}


def panels(
    traces: Sequence[Trace],
    titles: Sequence[str],
    *,
    x: Mapping[str, Any],
    y: Mapping[str, Any],
    legend: bool = True,
) -> Sketch:
    """A drawing of one panel a title, all with the same ranges.

    Args:
        traces: Each carries the `axes_of` its panel.
        titles: One a panel; one that is wider than its panel takes several lines.
        x: What the horizontal axes share; their title stands under the lowest panels.
        y: What the vertical axes share; their title stands at the left of each row.
        legend: Whether there is one.
    """
    names = {trace["name"]: None for trace in traces if legend and trace.get("showlegend")}
    fits = {
        page: _fit(titles, page, x=x, y=y, bottom_px=_bottom_px([*names], page))
        for page in _COLUMNS
    }
    layout = {
        "showlegend": legend,
        "margin": {"l": 56, "r": 10},
        "annotations": [_title() for _ in titles],
        "meta": fits,
    }
    for panel in range(len(titles)):
        layout[f"xaxis{suffix(panel)}"] = _axis(x, panel, "x")
        layout[f"yaxis{suffix(panel)}"] = _axis(y, panel, "y")
    return Sketch(traces=traces, layout=changed(layout, fits["wide"]))


def columns_of(n: int, page: str) -> int:
    """How many of n panels stand side by side on a page."""
    return min(n, _COLUMNS[page])


def suffix(panel: int) -> str:
    """What Plotly appends to the names of a panel's axes."""
    return str(panel + 1) if panel else ""


def _axis(shared: Mapping[str, Any], panel: int, letter: str) -> dict[str, Any]:
    plain = {key: value for key, value in shared.items() if key != "title"}
    other = "y" if letter == "x" else "x"
    link = {"matches": letter} if panel else {}
    return {**plain, **link, "anchor": f"{other}{suffix(panel)}"}


def _rows(n: int, page: str) -> tuple[int, int]:
    columns = columns_of(n, page)
    return -(-n // columns), columns


def _bottom_px(names: Sequence[str], page: str) -> int:
    """Room below the panels: for the axis title, and for as many rows as the legend takes."""
    if not names:
        return _BOTTOM_PX
    row_px, width_px = _LEGEND_PX[page]
    sign, letter = _ENTRY_PX
    wide = sum(sign + letter * len(name) for name in names)
    return _BOTTOM_PX + row_px * (1 + math.ceil(wide / width_px))


def _fit(
    titles: Sequence[str],
    page: str,
    *,
    x: Mapping[str, Any],
    y: Mapping[str, Any],
    bottom_px: int,
) -> dict[str, Any]:
    """The layout of a page as flat changes: domains, titles and their places, titles of axes."""
    n = len(titles)
    rows, columns = _rows(n, page)
    width = (1 - _GAP * (columns - 1)) / columns
    lines = [_lines(title, width * _WIDTH_PX[page]) for title in titles]
    more_px = _LINE_PX * (max(map(len, lines), default=1) - 1)
    top_px, gap_px = _TOP_PX + more_px, _GAP_PX + more_px
    inner = rows * _PANEL_PX + (rows - 1) * gap_px
    fit: dict[str, Any] = {"height": top_px + inner + bottom_px}
    fit |= {"margin.t": top_px, "margin.b": bottom_px}
    for panel in range(n):
        row, column = divmod(panel, columns)
        left, top = column * (width + _GAP), 1 - row * (_PANEL_PX + gap_px) / inner
        end = suffix(panel)
        fit[f"xaxis{end}.domain"] = [left, min(1.0, left + width)]
        fit[f"yaxis{end}.domain"] = [max(0.0, top - _PANEL_PX / inner), top]
        fit[f"annotations[{panel}].text"] = "<br>".join(f"<b>{line}</b>" for line in lines[panel])
        fit[f"annotations[{panel}].x"] = left
        fit[f"annotations[{panel}].y"] = top
        fit[f"xaxis{end}.title.text"] = x["title"] if panel + columns >= n else ""
        fit[f"yaxis{end}.title.text"] = y["title"] if column == 0 else ""
        fit[f"yaxis{end}.showticklabels"] = column == 0
        if "ticktext" in x:
            fit[f"xaxis{end}.ticktext"] = fewer(x["ticktext"], _LABELS[page])
    return fit


def _lines(title: str, width_px: float) -> list[str]:
    return wrap(title, width=int(width_px / _LETTER_PX), break_long_words=False) or [""]


def _title() -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 5,
        "showarrow": False,
        "font": {"size": 13},
    }
