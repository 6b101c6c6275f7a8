"""Greys and letters of all drawings: they read on white and on black alike."""

import math
from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
TEXT = "#767676"  # 4.5 to 1 on white and on black
GRID = "rgba(128,128,128,0.22)"
LINE = "rgba(128,128,128,0.55)"
_ZERO = "rgba(128,128,128,0.9)"


def level_line(level: float, suffix: str = "") -> list[dict[str, Any]]:
    """The single-task networks' line; none if their level is not known.

    Args:
        suffix: Of the axes' names, in a figure of several panels.
    """
    if math.isnan(level):
        return []
    line = {"color": _ZERO, "width": 1.5, "dash": "dash"}
    ends = {"x0": 0, "x1": 1, "y0": level, "y1": level}
    axes = {"xref": f"x{suffix} domain", "yref": f"y{suffix}"}
    return [{"type": "line", "layer": "below", "line": line, **ends, **axes}]
