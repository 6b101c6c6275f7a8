"""One table of a study for other tools: a row a run, as CSV or Parquet."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from reports._selected import selected_metrics
from reports._whole_file import writable, write_whole
from reports.errors import UnknownFormat
from reports.frames import StudyFrames, with_params


def export(frames: StudyFrames, path: str | os.PathLike[str]) -> None:
    """Write all runs with their parameters and test metrics.

    Columns: those of the view `run_results`; one a parameter, `w_<task>` for task weights, with the
    prefix `param_` where another column is called so; and the metrics at the selected epoch:
    `validation_<task>_<metric>` and `test_<task>_<metric>`, or `validation_<metric>` and
    `test_<metric>` for a training function, which has no tasks. The suffix of `path` chooses the
    format.

    Raises:
        UnknownFormat: The suffix is neither `.csv` nor `.parquet`.
        MissingFolder: The folder of `path` does not exist.
        NotAFile: A folder or a device is there.
        NotWritten: The system refuses it.
    """
    target = writable(path, what="An export")
    writer = _WRITERS.get(target.suffix.lower())
    if writer is None:
        raise UnknownFormat(
            f"An export ends in {' or '.join(_WRITERS)}. Got {target.name!r}. Change the suffix."
        )
    rows = table(frames)
    write_whole(target, lambda aside: writer(rows, aside))


def table(frames: StudyFrames) -> pd.DataFrame:
    """The table that `export` writes, by run."""
    selected = [_selected(frames, split) for split in ("validation", "test")]
    runs = with_params(frames, frames.runs, taken=[str(name) for of in selected for name in of])
    for metrics in selected:
        runs = runs.join(metrics, on="run")
    return runs.sort_values("run").reset_index(drop=True)


def _selected(frames: StudyFrames, split: str) -> pd.DataFrame:
    """Metrics at each run's selected epoch: one row a run, one column a metric."""
    rows = selected_metrics(frames, None, split=split)
    tasks = "" if frames.of_function else rows["task"] + "_"
    names = f"{split}_" + tasks + rows["metric"]
    return rows.assign(column=names).pivot(index="run", columns="column", values="value")


def _csv(rows: pd.DataFrame, path: Path) -> None:
    rows.to_csv(path, index=False)


def _parquet(rows: pd.DataFrame, path: Path) -> None:
    rows.to_parquet(path, index=False)


_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {".csv": _csv, ".parquet": _parquet}
