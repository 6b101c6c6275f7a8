"""A whole figure as one SVG element."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Literal

from reports.drawing._sketch import Sketch, changed
from reports.drawing._style import FONT, GRID, LINE
from reports.drawing.svg._frame import Axis, Frame, frame_of
from reports.drawing.svg._marks import drawn, stroke, symbol
from reports.drawing.svg._ternary import Triangle, colour_bar
from reports.drawing.svg._texts import annotations, text, width_of

_WIDTH_PX = {"wide": 1040.0, "narrow": 358.0}
_ROW_PX = 22.0
_LABEL_LINE_PX = 15.0  # of tick labels in several lines
_TITLE_PX = 18.0  # between tick labels and the middle of an upright title
_SIGN_PX = 34.0  # of a legend's line or marker, with its gaps

Page = Literal["wide", "narrow"]


def still(sketch: Sketch, *, page: Page = "wide", label: str = "", details: str = "") -> str:
    """Draw a sketch as one `svg` element.

    Args:
        page: ``wide`` is 1040 px, ``narrow`` 358 px for a phone; the layout's `meta` says what
            differs.
        label: What a screen reader says.
        details: Id of an element of the page that says the same in words.
    """
    layout = changed(sketch.layout, (sketch.layout.get("meta") or {}).get(page, {}))
    traces = [trace for trace in sketch.traces if trace.get("visible", True) is True]
    width, entries = _WIDTH_PX[page], _entries(layout, traces)
    rows = _rows(entries, width - 16)
    frame = frame_of(layout, traces, width, _ROW_PX * len(rows))
    parts = [
        *(_ternary if "ternary" in layout else _axes)(frame, layout, traces),
        *annotations(frame, layout.get("annotations", [])),
        *_legend(frame, rows, top=bool(layout.get("legend", {}).get("y"))),
    ]
    size = f'viewBox="0 0 {frame.width:g} {frame.height:g}" width="{frame.width:g}"'
    look = f'font-family="{escape(FONT)}" fill="currentColor"'
    leads = any("link" in trace or "links" in trace for trace in traces)
    said = f'role="{"group" if leads else "img"}" aria-label="{escape(label)}"'
    if details:
        said += f' aria-details="{escape(details)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {look} {said}>{"".join(parts)}</svg>'


def _axes(
    frame: Frame, layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Grids, traces and shapes of all panels."""
    for axis in frame.axes.values():
        if axis.spec.get("visible", True):
            yield from _axis(frame, axis)
    for shape in layout.get("shapes", []):
        yield _shape(frame, shape)
    for trace in traces:
        x, y = (frame.axes[trace.get(f"{letter}axis", letter)] for letter in "xy")
        yield from _clipped(x, y, trace, drawn(trace, x.at(trace["x"]), y.at(trace["y"])))
        if "colorbar" in trace.get("marker", {}):
            yield from colour_bar(frame, trace["marker"])


def _clipped(x: Axis, y: Axis, trace: Mapping[str, Any], parts: Iterator[str]) -> Iterator[str]:
    """What lies outside its axes is not seen, unless the trace says otherwise."""
    if trace.get("cliponaxis") is False:
        yield from parts
        return
    (left, right), (bottom, top) = x.pixels, y.pixels
    size = f'width="{right - left:.1f}" height="{bottom - top:.1f}"'
    view = f"{left:.1f} {top:.1f} {right - left:.1f} {bottom - top:.1f}"
    box = f'x="{left:.1f}" y="{top:.1f}" {size} viewBox="{view}"'
    yield f"<svg {box}>{''.join(parts)}</svg>"


def _axis(frame: Frame, axis: Axis) -> Iterator[str]:
    """Grid lines, tick labels, the line, the title."""
    across = frame.axes[axis.spec.get("anchor", "y" if axis.letter == "x" else "x")]
    begin, end = across.pixels
    upper = axis.spec.get("side") == "top"
    edge = end if upper else begin
    labelled, lined = axis.spec.get("showticklabels", True), axis.spec.get("showgrid", True)
    for value, said in axis.ticks():
        at = float(axis.at(value))
        if not min(axis.pixels) - 1 <= at <= max(axis.pixels) + 1:
            continue
        if axis.letter == "x":
            line = f"M{at:.1f} {begin:.1f}V{end:.1f}"
            beside = -14 - _LABEL_LINE_PX * said.count("<br>") if upper else 14
            label = text(said, at, edge + beside, size=12, anchor="middle")
        else:
            line = f"M{begin:.1f} {at:.1f}H{end:.1f}"
            label = text(said, edge - 7, at, size=12, anchor="end")
        if lined:
            yield f'<path d="{line}" stroke="{GRID}"/>'
        if labelled:
            yield label
    low, high = axis.pixels
    if axis.spec.get("showline", True):
        path = (
            f"M{low:.1f} {edge:.1f}H{high:.1f}"
            if axis.letter == "x"
            else f"M{edge:.1f} {low:.1f}V{high:.1f}"
        )
        yield f'<path d="{path}" stroke="{LINE}"/>'
    if said := axis.spec.get("title", {}).get("text"):
        middle = (low + high) / 2
        if axis.letter == "x":
            middle = min(middle, frame.width - width_of(said) / 2)  # on a phone it may be longer
            yield text(said, middle, edge + 34, anchor="middle")
        else:
            turned = text(said, 0, 0, anchor="middle")
            labels = (width_of(label, 12) for _, label in axis.ticks()) if labelled else ()
            left = edge - max(48, _TITLE_PX + max(labels, default=0))
            yield f'<g transform="translate({left:.1f} {middle:.1f}) rotate(-90)">{turned}</g>'


def _shape(frame: Frame, shape: Mapping[str, Any]) -> str:
    x, y = shape.get("xref", "x"), shape.get("yref", "y")
    (x0, y0), (x1, y1) = (
        (frame.x_of(x, shape[f"x{end}"]), frame.y_of(y, shape[f"y{end}"])) for end in "01"
    )
    path = f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"
    return f'<path d="{path}" {stroke(shape["line"])}/>'


def _ternary(
    frame: Frame, layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    triangle = Triangle(frame)
    yield from triangle.grid(layout["ternary"])
    for trace in traces:
        yield from drawn(trace, *triangle.at(trace["a"], trace["b"], trace["c"]))
        if "colorbar" in trace.get("marker", {}):
            yield from colour_bar(frame, trace["marker"])


def _entries(
    layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The traces that the legend names, each group once."""
    if layout.get("showlegend") is False:
        return []
    shown = [trace for trace in traces if trace.get("showlegend", True) and trace.get("name")]
    return list({trace["name"]: trace for trace in reversed(shown)}.values())[::-1]


def _rows(entries: Sequence[Mapping[str, Any]], width: float) -> list[list[Mapping[str, Any]]]:
    """As many entries in a row as fit."""
    rows: list[list[Mapping[str, Any]]] = []
    used = width
    for entry in entries:
        needed = _SIGN_PX + width_of(entry["name"]) + 12
        if used + needed > width:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += needed
    return rows


def _legend(
    frame: Frame, rows: Sequence[Sequence[Mapping[str, Any]]], *, top: bool
) -> Iterator[str]:
    """Names with a piece of each line, at the bottom of the picture, or at its top."""
    for at, row in enumerate(rows):
        y = 12 + _ROW_PX * at if top else frame.height - _ROW_PX * (len(rows) - at - 0.5)
        x = 8.0
        for trace in row:
            line, marker = trace.get("line", {}), trace.get("marker", {})
            if "lines" in trace.get("mode", "lines"):
                look = stroke({**line, "width": 2.4})
                yield f'<path d="M{x:.1f} {y:.1f}h22" {look}/>'
            elif marker:
                kind = marker.get("symbol", "circle")
                kinds = [kind] if isinstance(kind, str) else list(map(str, kind))
                # one that is off the scale is no sign of the others
                name = next((one for one in kinds if not one.endswith("-open")), kinds[0])
                yield symbol(name, x + 11, y, 11, str(marker.get("color")), 2)
            yield text(trace["name"], x + 28, y)
            x += _SIGN_PX + width_of(trace["name"]) + 12
