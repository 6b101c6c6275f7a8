"""How alike gradients were over training: of two tasks on a sample, and of two samples."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from reports._palette import TASKS, translucent
from reports.conflicts import SAID, over_training
from reports.drawing._panels import axes_of, panels
from reports.drawing._sketch import Sketch
from reports.drawing._trace import Trace, scatter
from reports.figures._none import NoFigure
from reports.figures._style import figure_of

_MEASURES: Final = {"cosine": "direction (cosine)", "magnitude": "length (magnitude)"}
_COLOURS: Final = {"tasks": TASKS[0], "samples": TASKS[1]}  # no method has them
_DASHES: Final = {"tasks": "solid", "samples": "dash"}


def conflict_curves(rows: Mapping[str, pd.DataFrame]) -> go.Figure | NoFigure:
    """Mean similarity of gradients by epoch, with a band from the 2.5th to the 97.5th percentile.

    Lines and bands are means over the runs that reached an epoch.

    Args:
        rows: Title to rows of the view ``gradient_conflicts``.
    """
    sketch = conflict_sketch(rows)
    if sketch is None:
        return NoFigure(reason="Of no run that counts here gradients were compared.")
    return figure_of(sketch)


def conflict_sketch(rows: Mapping[str, pd.DataFrame]) -> Sketch | None:
    """The drawing of it; None if there is nothing to draw."""
    curves = {title: over_training(of) for title, of in rows.items()}
    shown = [
        (f"{title}: {said}" if title else said.capitalize(), of, measure)
        for title, of in curves.items()
        if not of.empty
        for measure, said in _MEASURES.items()
    ]
    if not shown:
        return None
    traces = [
        trace
        for panel, (_, of, measure) in enumerate(shown)
        for pairing in _COLOURS
        for trace in _drawn(of[of["measure"] == measure], pairing, panel)
    ]
    return panels(
        traces,
        [title for title, _, _ in shown],
        x={"title": "Epoch", "nticks": 5},
        y={"title": "Similarity", "range": [-1.05, 1.05], "nticks": 6},
    )


def _drawn(curves: pd.DataFrame, pairing: str, panel: int) -> list[Trace]:
    curve = curves[curves["pairing"] == pairing]
    if curve.empty:
        return []
    x, low, mean, high = (
        curve[name].to_numpy(dtype=np.float64)
        for name in ("epoch", "percentile_2_5", "mean", "percentile_97_5")
    )
    shared = {"legendgroup": pairing, "name": SAID[pairing], **axes_of(panel)}
    band = scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=translucent(_COLOURS[pairing], 0.14),
        hoverinfo="skip",
        showlegend=False,
        **shared,
    )
    line = scatter(
        x=x,
        y=mean,
        mode="lines" if len(x) > 1 else "markers",
        line={"width": 2.2, "color": _COLOURS[pairing], "dash": _DASHES[pairing]},
        marker={"color": _COLOURS[pairing], "size": 6},
        showlegend=panel == 0,
        hovertemplate="epoch %{x}: %{y:.3f}<extra>%{fullData.name}</extra>",
        **shared,
    )
    return [band, line]
