"""The triangle of three shares, its grid and its corners; and a colour bar below."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reports.drawing._shades import shades
from reports.drawing._style import GRID, LINE
from reports.drawing.svg._frame import Frame
from reports.drawing.svg._texts import LINE_PX, text
from reports.measures import FloatArray

_HEIGHT = math.sqrt(3) / 2  # of a triangle with sides of 1
_BAR_STEPS = 24
_BAR_PX = (280.0, 12.0)
_END_LABEL_PX = 28.0  # half of the label at the right end of the bar


class Triangle:
    """Where shares lie: the first at the top, the second bottom left, the third bottom right."""

    def __init__(self, frame: Frame) -> None:
        wide, high = frame.right - frame.left, frame.bottom - frame.top
        self._side = min(wide, high / _HEIGHT)
        self._left = (frame.left + frame.right - self._side) / 2
        self._bottom = frame.top + (high + self._side * _HEIGHT) / 2

    def at(self, a: Any, b: Any, c: Any) -> tuple[FloatArray, FloatArray]:
        """Pixels of shares, each ``[n]``."""
        first, second, third = (np.asarray(share, dtype=np.float64) for share in (a, b, c))
        whole = first + second + third
        x = self._left + self._side * (third + first / 2) / whole
        return x, self._bottom - self._side * _HEIGHT * first / whole

    def grid(self, axes: Mapping[str, Any]) -> Iterator[str]:
        """Outline, lines at the ticks of each share, and what the corners are called."""
        for share in axes["aaxis"]["tickvals"]:
            for ends in (
                ((share, 1 - share, 0), (share, 0, 1 - share)),
                ((1 - share, share, 0), (0, share, 1 - share)),
                ((1 - share, 0, share), (0, 1 - share, share)),
            ):
                yield self._line(*ends, colour=GRID)
        corners = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        for at, corner in enumerate(corners):
            yield self._line(corner, corners[(at + 1) % 3], colour=LINE)
        places = (("aaxis", -22, "middle"), ("baxis", 14, "middle"), ("caxis", 14, "middle"))
        for corner, (name, down, anchor) in zip(corners, places, strict=True):
            x, y = self._point(corner)
            said = axes[name]["title"]["text"]
            up = LINE_PX * said.count("<br>") if down < 0 else 0  # its last line is over the corner
            yield text(said, x, y + down - up, anchor=anchor)

    def _line(self, a: tuple[float, ...], b: tuple[float, ...], *, colour: str) -> str:
        (x0, y0), (x1, y1) = self._point(a), self._point(b)
        return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}"/>'

    def _point(self, shares: tuple[float, ...]) -> tuple[float, float]:
        x, y = self.at(*shares)
        return float(x), float(y)


def colour_bar(frame: Frame, marker: Mapping[str, Any]) -> Iterator[str]:
    """The scale of colours below a figure, with its ticks and title."""
    bar, (wide, high) = marker["colorbar"], _BAR_PX
    left = min((frame.left + frame.right - wide) / 2, frame.width - wide - _END_LABEL_PX)
    top = frame.height - 62
    colours = shades((np.arange(_BAR_STEPS) + 0.5) / _BAR_STEPS)
    step = wide / _BAR_STEPS
    for at, shade in enumerate(colours):
        place = f'x="{left + at * step:.1f}" y="{top:.1f}"'
        yield f'<rect {place} width="{step + 0.5:.1f}" height="{high:g}" fill="{shade}"/>'
    low, high_value = float(marker["cmin"]), float(marker["cmax"])
    for value, said in zip(bar["tickvals"], bar["ticktext"], strict=True):
        x = left + (float(value) - low) / ((high_value - low) or 1.0) * wide
        yield text(said, x, top + 24, size=12, anchor="middle")
    yield text(bar["title"]["text"], left + wide / 2, top + 46, anchor="middle")
