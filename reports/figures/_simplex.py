"""Where in the space of task weights a search did well: a heat map, or a line for two tasks."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from reports._palette import look
from reports._ranking import axis_title, hover, objective_of
from reports._titles import weighting_of
from reports.drawing._ternary import Vectors, ternary
from reports.drawing._trace import scatter
from reports.figures._none import NoFigure
from reports.figures._style import figure_of, styled
from reports.figures._trials import known_search, task_titles, trials
from reports.frames import StudyFrames


def weight_simplex(frames: StudyFrames, search: str) -> go.Figure | NoFigure:
    """Mean validation value of every weight vector that the search has finished.

    Of trials with equal weights (with another learning rate, say) the best counts.

    Raises:
        UnknownSearch: The study has no such search.
    """
    known_search(frames, search)
    columns = [f"w_{task}" for task in frames.tasks]
    if len(columns) not in (2, 3):
        return NoFigure(
            reason="The picture of the weights is for two or three tasks; "
            f"this problem has {len(columns)}."
        )
    found = trials(frames, search)
    if not set(columns) <= set(found.columns) or found[columns].isna().all(axis=None):
        return NoFigure(reason=f"No finished trial of `{search}` has task weights of its own.")
    best = _best_by_weights(found.dropna(subset=columns), columns)
    if len(columns) == 3:
        return figure_of(
            ternary(_vectors(best, columns), task_titles(frames), objective_of(frames))
        )
    return _line(frames, search, best, columns)


def _best_by_weights(found: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The best trial of each weight vector, scaled to sum to one; key +inf if none was done."""
    shares = found.assign(**{name: found[name] / found[columns].sum(axis=1) for name in columns})
    places = [shares[name].round(9) for name in columns]
    ranked = shares.sort_values(["key", "trial"])
    return ranked.groupby(places, sort=False).head(1)


def _vectors(best: pd.DataFrame, columns: list[str]) -> Vectors:
    return Vectors(
        weights=best[columns].to_numpy(dtype=np.float64),
        key=best["key"].to_numpy(dtype=np.float64),
        ended=list(best["ended"]),
        trials=best["trial"].to_numpy(dtype=np.int64),
    )


def _line(
    frames: StudyFrames, search: str, best: pd.DataFrame, columns: list[str]
) -> go.Figure | NoFigure:
    rows = best[np.isfinite(best["val"])].sort_values(columns[0])
    if rows.empty:
        return NoFigure(reason=f"Every trial of `{search}` diverged or was pruned.")
    style, objective = look(weighting_of(frames, search)), objective_of(frames)
    x, y = (rows[name].to_numpy(dtype=np.float64) for name in (columns[0], "val"))
    marker = {
        "color": style.colour,
        "symbol": style.symbol,
        "size": np.where(rows["key"] == rows["key"].min(), 15, 8),
    }
    trace = scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": style.colour},
        marker=marker,
        hovertemplate="weight %{x:.3f}<br>"
        f"validation {objective.title} {hover(objective, 'y')}<extra></extra>",
    )
    first, second = task_titles(frames)
    return styled(
        go.Figure(trace),
        height=380,
        xaxis={"title": {"text": f"Weight of “{first}” (the rest is for “{second}”)"}},
        yaxis={"title": {"text": axis_title(objective, "Validation")}},
        showlegend=False,
    )
