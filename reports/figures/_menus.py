"""Buttons above a figure: which cost, which scale, which part."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.figures._trace import Trace

_SCALES = {"Log scale": {"xaxis.type": "log"}, "Linear scale": {"xaxis.type": "linear"}}
# Left edge of each row of buttons, and its distance from the drawing.
_PLACES = {
    "Cost axis": (0.0, 64),
    "Scale of the cost axis": (0.0, 28),
    "Range of values": (0.35, 28),
}


def axis_menu(traces: Sequence[Trace], axes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Buttons that show one set of traces each.

    Args:
        traces: All of the figure's, set after set, as many in each.
        axes: A button's label and the title of its axis, one a set.
    """
    n = len(traces) // len(axes)
    buttons = [
        {
            "label": label,
            "method": "update",
            "args": [
                {"visible": _visible(traces, slice(at * n, (at + 1) * n))},
                {"xaxis.title.text": title, "xaxis.autorange": True},
            ],
        }
        for at, (label, title) in enumerate(axes)
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


def _visible(traces: Sequence[Trace], chosen: slice) -> list[bool | str]:
    """Visibility of all traces when the chosen ones are to be seen."""
    states: list[bool | str] = [False] * len(traces)
    states[chosen] = [
        "legendonly" if trace["legendgroup"] == "orders" else True for trace in traces[chosen]
    ]
    return states


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
