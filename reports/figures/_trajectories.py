"""What weights the winners gave the tasks while they trained."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from reports._once import once_per_study
from reports._palette import task_colour
from reports._titles import title_of
from reports.comparing.winners import winner_of
from reports.drawing._panels import axes_of, panels
from reports.drawing._trace import Trace, scatter
from reports.figures._none import NoFigure
from reports.figures._style import figure_of
from reports.figures._trials import task_titles
from reports.frames import StudyFrames

# Of many tasks each has little: over the whole range, all that differs would be a flat line.
_MUCH = 0.45


def weight_trajectories(frames: StudyFrames) -> go.Figure | NoFigure:
    """Recorded loss weights over the epochs of each method's winning trial, one panel a method.

    Weights are scaled to sum to one in each epoch, then averaged over the seeds that reached it.
    """
    shown = winners_shares(frames)
    if not shown:
        return NoFigure(reason="No finished trial has recorded loss weights.")
    most = max(float(shares.to_numpy().max()) for shares in shown.values())
    top = 1.0 if most > _MUCH else 1.1 * most
    traces = [
        _trace(frames, shares, task, panel)
        for panel, shares in enumerate(shown.values())
        for task in shares.columns
    ]
    sketch = panels(
        traces,
        [title_of(frames, search) for search in shown],
        x={"title": "Epoch", "nticks": 5},
        y={"title": "Share of weight", "range": [-0.03 * top, 1.03 * top], "nticks": 6},
    )
    return figure_of(sketch)


@once_per_study
def winners_shares(frames: StudyFrames) -> dict[str, pd.DataFrame]:
    """By search the mean share of each task, one row an epoch, one column a task in the card's
    order; without searches whose winner has recorded none.
    """
    found = {search: _shares(frames, search) for search in frames.searches}
    return {search: shares for search, shares in found.items() if not shares.empty}


def _shares(frames: StudyFrames, search: str) -> pd.DataFrame:
    best = winner_of(frames, search)
    runs = best.chosen_runs if best else ()
    rows = frames.epochs.rows(split="train", metric="weight", runs=runs)
    table = rows.pivot_table(index=["run", "epoch"], columns="task", values="value")
    shares = table.div(table.sum(axis=1), axis=0)
    means = shares.groupby("epoch").mean()
    return means[[task for task in frames.tasks if task in means]]


def _trace(frames: StudyFrames, shares: pd.DataFrame, task: str, panel: int) -> Trace:
    at = frames.tasks.index(task)
    title = task_titles(frames)[at]
    return scatter(
        x=shares.index.to_numpy(dtype=np.float64),
        y=shares[task].to_numpy(dtype=np.float64),
        mode="lines",
        line={"width": 2.2, "color": task_colour(at), "dash": ("solid", "dash", "dot")[at % 3]},
        name=title,
        legendgroup=task,
        showlegend=panel == 0,
        hovertemplate="epoch %{x}: %{y:.3f}<extra>%{fullData.name}</extra>",
        **axes_of(panel),
    )
