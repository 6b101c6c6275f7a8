"""Metrics of runs at the epoch that counts (MEASURES M4)."""

from collections.abc import Collection

import pandas as pd

from reports.frames import StudyFrames
from storage.scoring import Selection


def selected_metrics(
    frames: StudyFrames, runs: Collection[int] | None, *, split: str = "test"
) -> pd.DataFrame:
    """Columns run, task, metric, value: one row a run and metric, the loss among them.

    Args:
        runs: These only; None for all.

    With ``select_epoch = "mean_last_K"`` the value is the mean over the run's last K epochs.
    """
    rows = frames.epochs.rows(split=split, runs=runs, last=selection_of(frames).k)
    keys = ["run", "task", "metric"]
    if not rows.duplicated(keys).any():  # one epoch a run: its value is the mean
        return rows[[*keys, "value"]].sort_values(keys, ignore_index=True)
    return rows.groupby(keys, sort=True)["value"].mean().reset_index()


def selection_of(frames: StudyFrames) -> Selection:
    """Which epoch of a run counts."""
    return Selection.of(frames.spec["compare"]["select_epoch"])
