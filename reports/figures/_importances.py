"""Which parameters matter: a bar a parameter, and for each way to ask."""

from collections.abc import Sequence

import plotly.graph_objects as go

from reports._importance import Importance
from reports.drawing._importances import bars
from reports.figures._none import NoFigure
from reports.figures._style import figure_of


def importance_bars(found: Sequence[Importance]) -> go.Figure | NoFigure:
    """Shares of one search's parameters with their 95 % intervals over seeds.

    Args:
        found: The answers for the search, one a way to ask.
    """
    if not found:
        return NoFigure(reason="Too few trials or parameters to tell which parameters matter.")
    return figure_of(bars(found))
