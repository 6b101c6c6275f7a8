"""Traces as plain values: Plotly checks them when a figure is made of them, once.

Objects of ``plotly.graph_objects`` would be checked when they are made, and copied and checked
again by their figure.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Trace = dict[str, Any]
"""One trace: its type, and its properties as `plotly.graph_objects` names them."""


def scatter(**properties: Any) -> Trace:
    """Points or lines in x and y."""
    return {"type": "scatter", **properties}


def scatter_ternary(shares: NDArray[np.float64], **properties: Any) -> Trace:
    """Points or areas in shares of three, shape `[N, 3]`."""
    return {"type": "scatterternary", **dict(zip("abc", shares.T, strict=True)), **properties}
