"""Traces as SVG: lines, areas and markers, once their points are pixels.

Shapes: n points of a trace.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from reports.drawing._shades import shades
from reports.drawing._sketch import Link
from reports.measures import FloatArray

_DASHES = {"dot": "2 3", "dash": "7 4"}
_CORNERS = {  # angle of the first corner in degrees, number of corners
    "square": (45, 4),
    "diamond": (0, 4),
    "triangle-up": (-90, 3),
    "triangle-down": (90, 3),
    "pentagon": (-90, 5),
    "hexagon": (0, 6),
}
_STROKES = {
    "cross": ((-1, 0, 1, 0), (0, -1, 0, 1)),
    "x": ((-0.7, -0.7, 0.7, 0.7), (-0.7, 0.7, 0.7, -0.7)),
    "x-thin": ((-0.7, -0.7, 0.7, 0.7), (-0.7, 0.7, 0.7, -0.7)),
    "line-ew": ((-1, 0, 1, 0),),
}


def drawn(trace: Mapping[str, Any], x: FloatArray, y: FloatArray) -> Iterator[str]:
    """A trace whose points are at these pixels, both ``[n]``."""
    mode = trace.get("mode", "lines")
    if "lines" in mode:
        yield from _path(trace, x, y)
    if "markers" in mode:
        yield from _markers(trace["marker"], x, y, trace.get("links", ()))


def _path(trace: Mapping[str, Any], x: FloatArray, y: FloatArray) -> Iterator[str]:
    line, filled = trace.get("line", {}), trace.get("fill") == "toself"
    path = "".join(_pieces(x, y, steps=line.get("shape") == "hv", closed=filled))
    if not path:
        return
    look = f'fill="{trace["fillcolor"]}"' if filled else 'fill="none"'
    if line.get("width", 2):
        look = f"{look} {stroke(line)}"
    mark = f'<path d="{path}" {look} stroke-linejoin="round"/>'
    yield _linked(mark, trace["link"]) if "link" in trace else mark


def stroke(line: Mapping[str, Any]) -> str:
    """Colour, width and dashes of a line as attributes."""
    look = f'stroke="{line.get("color", "currentColor")}" stroke-width="{line.get("width", 2):g}"'
    dashes = _DASHES.get(line.get("dash", ""))
    return f'{look} stroke-dasharray="{dashes}"' if dashes else look


def _pieces(x: FloatArray, y: FloatArray, *, steps: bool, closed: bool) -> Iterator[str]:
    """Path commands; a point that is no number begins a new piece."""
    open_ = False
    for px, py in zip(x.tolist(), y.tolist(), strict=True):
        if not (math.isfinite(px) and math.isfinite(py)):
            if open_ and closed:
                yield "Z"
            open_ = False
            continue
        if not open_:
            yield f"M{px:.1f} {py:.1f}"
        else:
            yield f"H{px:.1f}V{py:.1f}" if steps else f"L{px:.1f} {py:.1f}"
        open_ = True
    if open_ and closed:
        yield "Z"


def _linked(mark: str, link: Link) -> str:
    stop = "" if link.stop else ' tabindex="-1"'
    title = f"<title>{escape(link.title, quote=False)}</title>"
    return f'<a href="{escape(link.href)}"{stop}>{title}{mark}</a>'


def _markers(
    marker: Mapping[str, Any], x: FloatArray, y: FloatArray, links: Sequence[Link]
) -> Iterator[str]:
    """All that lie somewhere; what cannot be seen is there to be pointed at, if it leads on."""
    n = len(x)
    symbols, sizes = _each(marker.get("symbol", "circle"), n), _each(marker.get("size", 6), n)
    opacities = _each(marker.get("opacity", 1.0), n)
    widths = _each(marker.get("line", {}).get("width", 0), n)
    colours = _colours(marker, n)
    edge = marker["line"].get("color", "") if "colorscale" in marker else ""
    for at in range(n):
        opacity = float(opacities[at])
        if not (math.isfinite(x[at]) and math.isfinite(y[at])) or (opacity == 0 and not links):
            continue
        faint = "" if opacity == 1 else f' opacity="{opacity:g}"'
        size, width = float(sizes[at]), float(widths[at])
        place = float(x[at]), float(y[at])
        if edge and width and symbols[at] not in _STROKES:
            faint += f' stroke="{edge}" stroke-width="{width:g}"'
        mark = symbol(str(symbols[at]), *place, size, colours[at], width, faint)
        yield _linked(mark, links[at]) if links else mark


def symbol(
    name: str, x: float, y: float, size: float, colour: str, width: float = 0, more: str = ""
) -> str:
    """One marker; shapes that the table does not know are circles.

    Args:
        size: Its diameter in pixels.
        width: Of the line of an open one.
        more: Further attributes.
    """
    kind, half = name.removesuffix("-open"), size / 2
    look = f'fill="{colour}"'
    if name.endswith("-open"):
        look = f'fill="none" stroke="{colour}" stroke-width="{max(width, 1.5):g}"'
    if kind in _STROKES:
        ends = "".join(
            f"M{x + half * a:.1f} {y + half * b:.1f}L{x + half * c:.1f} {y + half * d:.1f}"
            for a, b, c, d in _STROKES[kind]
        )
        thick = 2 if kind in ("x-thin", "line-ew") else max(1.5, size / 3)
        return f'<path d="{ends}" stroke="{colour}" stroke-width="{thick:.1f}"{more}/>'
    if kind == "star":
        radii, corners, first = (half, 0.4 * half), 10, -90.0
    elif kind in _CORNERS:
        (first, corners), radii = _CORNERS[kind], (half, half)
    else:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{half:g}" {look}{more}/>'
    angles = [math.radians(first + 360 / corners * k) for k in range(corners)]
    points = " ".join(
        f"{x + radii[k % 2] * math.cos(a):.1f},{y + radii[k % 2] * math.sin(a):.1f}"
        for k, a in enumerate(angles)
    )
    return f'<polygon points="{points}" {look}{more}/>'


def _colours(marker: Mapping[str, Any], n: int) -> list[str]:
    colour = marker.get("color", "currentColor")
    if isinstance(colour, str):
        return [colour] * n
    values = np.asarray(colour)
    if values.dtype.kind in "OUS":
        return [str(value) for value in values]
    low, high = float(marker["cmin"]), float(marker["cmax"])
    level = np.clip((values.astype(np.float64) - low) / ((high - low) or 1.0), 0.0, 1.0)
    return shades(level)


def _each(value: Any, n: int) -> list[Any]:
    """One a point."""
    if isinstance(value, str | int | float):
        return [value] * n
    return list(np.asarray(value).tolist())
