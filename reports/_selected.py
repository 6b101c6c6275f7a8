"""Metrics of runs at the epoch that counts (MEASURES M4)."""

from collections.abc import Collection

import pandas as pd

from reports._once import once_per_study
from reports.frames import StudyFrames
from storage.scoring import Selection


def selected_metrics(
    frames: StudyFrames, runs: Collection[int] | None, *, split: str = "test"
) -> pd.DataFrame:
    """Columns run, task, metric, value: one row a run and metric, the loss among them.

    Args:
        runs: These only; None for all.

    With ``select_epoch = "mean_last_K"`` the value is the mean over the run's last K epochs. What
    was read of some runs is kept and must not be changed.
    """
    return _read(frames, None, split) if runs is None else _kept(frames, frozenset(runs), split)


def _read(frames: StudyFrames, runs: frozenset[int] | None, split: str) -> pd.DataFrame:
    rows = frames.epochs.rows(split=split, runs=runs, last=selection_of(frames).k)
    keys = ["run", "task", "metric"]
    if not rows.duplicated(keys).any():  # one epoch a run: its value is the mean
        return rows[[*keys, "value"]].sort_values(keys, ignore_index=True)
    return rows.groupby(keys, sort=True)["value"].mean().reset_index()


_kept = once_per_study(_read)


@once_per_study
def untested(frames: StudyFrames) -> frozenset[tuple[str, str]]:
    """Task and name of metrics that a trainer reports on validation, and of no run on test.

    How well wrong labels of training were found has no test value; tables show what there is.
    """
    if not frames.of_trainer:
        return frozenset()
    validated, tested = (
        {*zip(rows["task"], rows["metric"], strict=True)}
        for rows in (selected_metrics(frames, None, split=of) for of in ("validation", "test"))
    )
    return frozenset(validated - tested)


def selection_of(frames: StudyFrames) -> Selection:
    """Which epoch of a run counts."""
    return Selection.of(frames.spec["compare"]["select_epoch"])
