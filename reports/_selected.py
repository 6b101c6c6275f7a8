"""Metrics of runs at the epoch that counts (MEASURES M4)."""

from collections.abc import Collection

import pandas as pd

from reports.frames import StudyFrames

_PREFIX = "mean_last_"


def selected_metrics(
    frames: StudyFrames, runs: Collection[int], *, split: str = "test"
) -> pd.DataFrame:
    """Columns run, task, metric, value: one row a run and metric, the loss among them.

    With ``select_epoch = "mean_last_K"`` the value is the mean over the run's last K epochs.
    """
    chosen = frames.runs.loc[frames.runs["run"].isin(runs), ["run", "epoch_selected"]].dropna()
    rows = frames.epochs[frames.epochs["split"] == split].merge(chosen, on="run")
    width = _epochs_averaged(frames)
    behind = rows["epoch_selected"] - rows["epoch"]
    window = rows[(behind >= 0) & (behind < width)]
    keys = ["run", "task", "metric"]
    return window.groupby(keys, sort=True)["value"].mean().reset_index()


def _epochs_averaged(frames: StudyFrames) -> int:
    rule = str(frames.spec.get("compare", {}).get("select_epoch", "best"))
    return int(rule.removeprefix(_PREFIX)) if rule.startswith(_PREFIX) else 1
