"""Direct labels at the right edge of a figure, moved apart where they would overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GAP_PX = 17.0  # a line of 13 px text


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label at the end of a line.

    Attributes:
        text: What it says; Plotly's small HTML subset.
        value: The line's last value, on the y axis.
        colour: Of the dot in front of the text.
    """

    text: str
    value: float
    colour: str


def apart(positions: NDArray[np.float64], *, gap: float, limit: float) -> NDArray[np.float64]:
    """Positions `[n]` with at least `gap` between any two, in the same order, moved as little as
    a pass down and a pass up can do, inside `[0, limit]` if they fit there.
    """
    order = np.argsort(positions, kind="stable")
    placed = positions[order].astype(np.float64)
    for at in range(1, len(placed)):
        placed[at] = max(placed[at], placed[at - 1] + gap)
    if len(placed):
        placed[-1] = min(placed[-1], limit)
    for at in range(len(placed) - 2, -1, -1):
        placed[at] = min(placed[at], placed[at + 1] - gap)
    result = np.empty_like(placed)
    result[order] = placed
    return result


def end_labels(
    labels: Sequence[Label], *, low: float, high: float, height_px: float
) -> list[dict[str, Any]]:
    """Annotations in the right margin; a value outside the window is written at its edge.

    Args:
        labels: What to write.
        low: Lower end of the y axis.
        high: Upper end of the y axis.
        height_px: Height of the plotting area.
    """
    values = np.array([label.value for label in labels], dtype=np.float64)
    shown = np.clip(values, low, high)
    pixels = (shown - low) / (high - low) * height_px
    shifts = apart(pixels, gap=_GAP_PX, limit=height_px) - pixels
    return [
        _annotation(
            label,
            at=float(at),
            shift_px=float(shift),
            mark=_mark(label.value, low, high),
        )
        for label, at, shift in zip(labels, shown, shifts, strict=True)
    ]


def _mark(value: float, low: float, high: float) -> str:
    if value > high:
        return "▲"
    return "▼" if value < low else "●"


def _annotation(label: Label, *, at: float, shift_px: float, mark: str) -> dict[str, Any]:
    return {
        "text": f'<span style="color:{label.colour}">{mark}</span> {label.text}',
        "xref": "paper",
        "x": 1,
        "xanchor": "left",
        "xshift": 4,
        "y": at,
        "yanchor": "middle",
        "yshift": shift_px,
        "showarrow": False,
        "font": {"size": 13},
        "align": "left",
    }
