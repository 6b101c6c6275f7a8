"""A whole figure as one SVG element."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from reports.drawing import Page, Sketch, still


@dataclass(frozen=True, slots=True)
class Picture:
    """A still picture.

    Attributes:
        svg: One `svg` element.
    """

    svg: str

    def _repr_html_(self) -> str:
        """What a notebook shows: no script, so that it opens anywhere, on paper too."""
        return self.svg.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def picture(figure: go.Figure, *, page: Page = "wide", label: str = "") -> Picture:
    """Draw a figure of this package as a still picture.

    Args:
        page: ``wide`` is 1040 px, ``narrow`` 358 px for a phone; the figure's `meta` says what
            differs.
        label: What a screen reader says.
    """
    plain = _plain(figure.to_plotly_json())
    sketch = Sketch(traces=plain["data"], layout=plain["layout"])
    return Picture(still(sketch, page=page, label=label))


def _plain(value: Any) -> Any:
    """A copy whose typed arrays, which Plotly writes as base64, are arrays again."""
    if isinstance(value, Mapping) and "bdata" in value:
        found = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]))
        return found.reshape([int(n) for n in value.get("shape", "-1").split(",")])
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
