"""A study for other tools: a row a run or a score of a winner, as CSV, Parquet or NumPy arrays."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import numpy as np
import pandas as pd

from reports._exhibited import exhibited_table
from reports._params import with_params
from reports._selected import selected_metrics
from reports._whole_file import writable, write_whole
from reports.comparing.transfer import judged
from reports.errors import UnknownFormat
from reports.frames import StudyFrames
from reports.measures import FloatArray
from reports.spending.front import front_table
from reports.tables.by_seed import gains_by_seed, scores_by_seed


def export(
    frames: StudyFrames,
    path: str | os.PathLike[str],
    *,
    by_seed: bool = False,
    front: bool = False,
    exhibit: str | None = None,
    search: str | None = None,
) -> None:
    """Write all runs with their parameters and test metrics.

    Columns: those of the view `run_results`; one a parameter, `w_<task>` for task weights, with the
    prefix `param_` where another column is called so; and the metrics at the selected epoch:
    `validation_<task>_<metric>` and `test_<task>_<metric>`, or `validation_<metric>` and
    `test_<metric>` for a training function, which has no tasks. The suffix of `path` chooses the
    format; `.npz` holds an array a method, see `reports.tables.by_seed.gains_by_seed`.

    Args:
        by_seed: Write `reports.tables.by_seed.scores_by_seed` instead.
        front: Write `reports.spending.front.front_table` instead.
        exhibit: Write the table of this name that the best trial's run shows instead.
        search: Of the exhibit.

    Raises:
        UnknownFormat: The suffix is neither `.csv` nor `.parquet` nor `.npz`.
        NoTable: Scores of methods, a front or an exhibit are asked for, and there are none, or none
            that may be shown.
        MissingFolder: The folder of `path` does not exist.
        NotAFile: A folder or a device is there.
        NotWritten: The system refuses it.
    """
    target = writable(path, what="An export")
    suffix = target.suffix.lower()
    if suffix == _ARRAYS and not front and exhibit is None:
        gains = gains_by_seed(frames)
        write_whole(target, lambda aside: _npz(gains, aside))
        return
    writer = _WRITERS.get(suffix)
    if writer is None:
        apart = "a front" if front else "an exhibit" if exhibit is not None else ""
        known = [*_WRITERS] if apart else [*_WRITERS, _ARRAYS]
        what = f"An export of {apart}" if apart else "An export"
        raise UnknownFormat(
            f"{what} ends in {', '.join(known[:-1])} or {known[-1]}. Got {target.name!r}. Change "
            "the suffix."
        )
    if exhibit is not None:
        rows = exhibited_table(frames, exhibit, search)
    else:
        made = front_table if front else scores_by_seed if by_seed else table
        rows = made(frames)
    write_whole(target, lambda aside: writer(rows, aside))


def table(frames: StudyFrames) -> pd.DataFrame:
    """The table that `export` writes, by run; those of follow-ups are among them."""
    selected = [_selected(frames, split) for split in ("validation", "test")]
    if len(frames.followups):
        selected.append(_on_corrupted(frames))
    all_runs = pd.concat([frames.runs, frames.followups]) if len(frames.followups) else frames.runs
    runs = with_params(frames, all_runs, taken=[str(name) for of in selected for name in of])
    for metrics in selected:
        runs = runs.join(metrics, on="run")
    return runs.sort_values("run").reset_index(drop=True)


def _selected(frames: StudyFrames, split: str) -> pd.DataFrame:
    """Metrics at each run's selected epoch: one row a run, one column a metric."""
    rows = selected_metrics(frames, None, split=split)
    if len(frames.followups):
        judged_last = {*judged(frames).loc[lambda of: of["condition"] != "", "metric"]}
        rows = rows[~rows["metric"].isin(judged_last)]
    tasks = "" if frames.of_function else rows["task"] + "_"
    names = f"{split}_" + tasks + rows["metric"]
    return rows.assign(column=names).pivot(index="run", columns="column", values="value")


def _on_corrupted(frames: StudyFrames) -> pd.DataFrame:
    """Metrics of follow-ups on corrupted images, after their last epoch; none of a sealed study."""
    rows = judged(frames)
    rows = rows[rows["condition"] != ""]
    columns = "test_" + rows["task"] + "_" + rows["metric"]
    return rows.assign(column=columns).pivot(index="run", columns="column", values="value")


def _csv(rows: pd.DataFrame, path: Path) -> None:
    rows.to_csv(path, index=False)


def _parquet(rows: pd.DataFrame, path: Path) -> None:
    rows.to_parquet(path, index=False)


def _npz(arrays: Mapping[str, FloatArray], path: Path) -> None:
    """What `numpy.load` reads; `numpy.savez` cannot write arrays of any name."""
    with ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


_ARRAYS: Final = ".npz"
_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {".csv": _csv, ".parquet": _parquet}
