"""What runs were worth after each epoch, by the objective of their search."""

import pandas as pd

from reports.frames import StudyFrames
from storage.objectives import Objective


def objective_curves(
    frames: StudyFrames, runs: pd.DataFrame, objective: Objective, *, split: str
) -> "pd.Series[float]":
    """Value by (run, epoch), under the standing baseline (M3); empty where that is missing."""
    only = objective.metrics[0][1] if len(objective.metrics) == 1 else None
    rows = frames.epochs.rows(split=split, metric=only, runs=runs["run"].tolist())
    base = frames.standing_baseline(split)
    if objective.needs_baseline and not base:
        return pd.Series(dtype="float64", index=pd.MultiIndex.from_arrays([[], []]))
    names = [(task, name) for task, name, _ in objective.metrics]
    table = rows.pivot(index=["run", "epoch"], columns=["task", "metric"], values="value")
    table = table.reindex(columns=pd.MultiIndex.from_tuples(names)).dropna()
    curve = objective.curve(
        {name: table[name].tolist() for name in names}, base if objective.needs_baseline else None
    )
    return pd.Series(curve, index=table.index, dtype="float64")
