"""Texts of a picture: Plotly's small HTML (bold, colour, line breaks) as SVG."""

import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from typing import Any

from reports.drawing.svg._frame import Frame

_PIECES = re.compile(r"(<br>|<b>|</b>|<span style=\"color:[^\"]*\">|</span>)")
_ANCHORS = {"left": "start", "center": "middle", "right": "end"}
_SIZE_PX = 13.0
_LINE = 1.25  # times the size
LINE_PX = _LINE * _SIZE_PX
"""From line to line, in the usual size."""

_WIDTH_PX = 0.56  # of a letter, times the size, on average


def text(said: str, x: float, y: float, *, size: float = _SIZE_PX, anchor: str = "start") -> str:
    """A text whose first line's middle is at a place, in pixels."""
    spans = []
    for at, line in enumerate(said.split("<br>")):
        down = 0.35 * size if at == 0 else _LINE * size
        spans.append(f'<tspan x="{x:.1f}" dy="{down:.1f}">{_rich(line)}</tspan>')
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
    return f"<text {place}>{''.join(spans)}</text>"


def width_of(said: str, size: float = _SIZE_PX) -> float:
    """About how wide a text is, in pixels."""
    return _WIDTH_PX * size * len(unescape(_PIECES.sub("", said)))


def annotations(frame: Frame, found: list[Mapping[str, Any]]) -> Iterator[str]:
    """All that is written into a figure."""
    for note in found:
        if note.get("visible") is False:
            continue
        x = frame.x_of(note.get("xref", "x"), note["x"]) + note.get("xshift", 0)
        y = frame.y_of(note.get("yref", "y"), note["y"]) - note.get("yshift", 0)
        size = note.get("font", {}).get("size", 13)
        half, more = 0.6 * size, _LINE * size * note["text"].count("<br>")
        ups = {"bottom": -half - more, "top": half}
        up = ups.get(note.get("yanchor", "middle"), -more / 2)
        anchor = _ANCHORS[note.get("xanchor", "center")]
        yield text(note["text"], x, y + up, size=size, anchor=anchor)


def _rich(line: str) -> str:
    """One line with its bold and coloured parts as spans."""
    made = []
    for piece in _PIECES.split(line):
        if piece == "<b>":
            made.append('<tspan font-weight="600">')
        elif piece.startswith("<span"):
            colour = piece.removeprefix('<span style="color:').removesuffix('">')
            made.append(f'<tspan fill="{escape(colour)}">')
        elif piece in ("</b>", "</span>"):
            made.append("</tspan>")
        else:
            made.append(escape(unescape(piece), quote=False))
    return "".join(made)
