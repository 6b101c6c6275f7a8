"""The house style of all figures: a template, the height, the legend below.

The paper is transparent and the grey of the text reads on white and on black alike, so a figure
can stand on any page. A page that knows its own colours may set them afterwards.
"""

from typing import Any

import plotly.graph_objects as go

from reports.drawing import Sketch
from reports.drawing._style import FONT, GRID, LINE, TEXT

CLEAR = "rgba(0,0,0,0)"

_AXIS: dict[str, Any] = {
    "gridcolor": GRID,
    "linecolor": LINE,
    "zerolinecolor": LINE,
    "tickcolor": LINE,
    "zeroline": False,
    "showline": True,
    "ticks": "outside",
    "ticklen": 4,
    "automargin": True,
    "title": {"standoff": 8, "font": {"size": 13}},
}

_TERNARY: dict[str, Any] = {
    "gridcolor": GRID,
    "linecolor": LINE,
    "tickcolor": LINE,
    "ticks": "outside",
    "tickfont": {"size": 11},
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": TEXT},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "margin": {"l": 12, "r": 16, "t": 24, "b": 12},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "ternary": {"bgcolor": CLEAR, "aaxis": _TERNARY, "baxis": _TERNARY, "caxis": _TERNARY},
        "hoverlabel": {"font": {"family": FONT, "size": 13}, "align": "left"},
        "hovermode": "closest",
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 13},
            "itemsizing": "constant",
        },
        "dragmode": "zoom",
        # over the drawing while the pointer is: nothing that is read may vanish behind it
        "modebar": {"bgcolor": CLEAR, "color": LINE, "activecolor": TEXT},
    }
)


def styled(figure: go.Figure, *, height: int, **layout: Any) -> go.Figure:
    """The figure in the house style, as high as said (pixels), as wide as its box."""
    return figure.update_layout(template=TEMPLATE, height=height, autosize=True, **layout)


def figure_of(sketch: Sketch) -> go.Figure:
    """A drawing as a figure in the house style."""
    return styled(go.Figure(sketch.traces), **sketch.layout)
