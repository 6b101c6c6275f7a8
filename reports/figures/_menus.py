"""Buttons above a figure: which cost, which scale, which part."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.drawing._trace import Trace
from reports.spending.axes import AxisWords

_SCALES = {"Log scale": {"xaxis.type": "log"}, "Linear scale": {"xaxis.type": "linear"}}
# Left edge of each row of buttons, and its distance from the drawing.
_PLACES = {
    "Cost axis": (0.0, 64),
    "Scale of the cost axis": (0.0, 28),
    "Range of values": (0.35, 28),
}


def axis_menu(sets: Sequence[Sequence[Trace]], axes: Sequence[AxisWords]) -> dict[str, Any]:
    """Buttons that move all traces to the costs of one unit.

    Args:
        sets: The figure's traces once for each unit; they differ in x and in what hovering tells.
        axes: The units' words.
    """
    buttons = [
        {
            "label": axis.label,
            "method": "update",
            "args": [
                {
                    "x": [_short(trace["x"]) for trace in traces],
                    "hovertemplate": [trace.get("hovertemplate") for trace in traces],
                },
                {"xaxis.title.text": axis.title, "xaxis.autorange": True},
            ],
        }
        for traces, axis in zip(sets, axes, strict=True)
    ]
    return _menu("Cost axis", buttons)


def scale_menu() -> dict[str, Any]:
    """Buttons for a logarithmic and a linear cost axis."""
    return relayout_menu("Scale of the cost axis", _SCALES)


def relayout_menu(name: str, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Buttons, by label, that change the layout; the first is the state to begin with."""
    buttons = [
        {"label": label, "method": "relayout", "args": [dict(change)]}
        for label, change in changes.items()
    ]
    return _menu(name, buttons)


def _short(values: Iterable[float]) -> list[float]:
    """Six digits that count are finer than a screen, and a third of the page's text."""
    return [float(f"{value:.6g}") for value in values]


def _menu(name: str, buttons: list[dict[str, Any]]) -> dict[str, Any]:
    left, above_px = _PLACES[name]
    return {
        "name": name,
        "type": "buttons",
        "direction": "right",
        "buttons": buttons,
        "x": left,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "pad": {"b": above_px},
        "font": {"size": 12},
    }
