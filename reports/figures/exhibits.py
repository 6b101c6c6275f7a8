"""What a run shows beside its metrics, as figures."""

from collections.abc import Sequence

import plotly.graph_objects as go

from reports.drawing._exhibits import Moment, curves, histograms
from reports.figures._style import figure_of


def histogram_panels(moments: Sequence[Moment]) -> go.Figure:
    """How values are spread at some epochs, as shares of each group."""
    return figure_of(histograms(moments)[0])


def curve_panels(moments: Sequence[Moment]) -> go.Figure:
    """Lines with their bands, round by round."""
    return figure_of(curves(moments)[0])
