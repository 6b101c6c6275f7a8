"""Traces as SVG: lines, areas and markers, once their points are pixels.

Shapes: n points of a trace.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from plotly.colors import sample_colorscale

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
        yield from _markers(trace["marker"], x, y)


def _path(trace: Mapping[str, Any], x: FloatArray, y: FloatArray) -> Iterator[str]:
    line, filled = trace.get("line", {}), trace.get("fill") == "toself"
    path = "".join(_pieces(x, y, steps=line.get("shape") == "hv", closed=filled))
    if not path:
        return
    look = f'fill="{trace["fillcolor"]}"' if filled else 'fill="none"'
    if line.get("width", 2):
        look = f"{look} {stroke(line)}"
    yield f'<path d="{path}" {look} stroke-linejoin="round"/>'


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


def _markers(marker: Mapping[str, Any], x: FloatArray, y: FloatArray) -> Iterator[str]:
    n = len(x)
    symbols, sizes = _each(marker.get("symbol", "circle"), n), _each(marker.get("size", 6), n)
    opacities = _each(marker.get("opacity", 1.0), n)
    widths = _each(marker.get("line", {}).get("width", 0), n)
    colours = _colours(marker, n)
    for at in range(n):
        if not (math.isfinite(x[at]) and math.isfinite(y[at])) or float(opacities[at]) == 0:
            continue
        faint = "" if float(opacities[at]) == 1 else f' opacity="{float(opacities[at]):g}"'
        size, width = float(sizes[at]), float(widths[at])
        yield symbol(str(symbols[at]), float(x[at]), float(y[at]), size, colours[at], width, faint)


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
    scale = [list(pair) for pair in marker["colorscale"]]
    return [str(found) for found in sample_colorscale(scale, level.tolist())] if n else []


def _each(value: Any, n: int) -> list[Any]:
    """One a point."""
    if isinstance(value, str | int | float):
        return [value] * n
    return list(np.asarray(value).tolist())
