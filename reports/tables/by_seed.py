"""Test metrics of winners seed by seed, as tools for benchmarks of many data sets read them."""

import math

import numpy as np
import pandas as pd

from reports._selected import selected_metrics
from reports._spread import baseline_runs
from reports._titles import title_of
from reports.comparing.scores import metric_values
from reports.comparing.winners import winner_of
from reports.errors import NoTable
from reports.frames import StudyFrames
from reports.measures import FloatArray
from reports.tables.method_table import refuse_without_methods


def scores_by_seed(frames: StudyFrames) -> pd.DataFrame:
    """One row a (method, metric, seed), in the columns that `evaluma` reads, and more.

    ``model`` is the method, ``dataset`` the study, task and metric with slashes between: each has
    one metric. ``score`` is the test value, the worst infinity where the run diverged. Methods
    without a winner are missing; single-task networks are ``STL``.

    Raises:
        NoTable: The study is sealed, or is that of a training function.
    """
    refuse_without_methods(frames)
    directions = {(metric.task, metric.name): metric.direction for metric in frames.metrics}
    rows = [
        {
            "model": title_of(frames, search),
            "search": search,
            "task": task,
            "metric": metric,
            "score": by_seed[scored.seed],
            "seed": scored.seed,
            "kind": winner.kind,
            "trial": scored.trial,
            "run": scored.run,
        }
        for search in frames.searches
        if (winner := winner_of(frames, search)) is not None
        for (task, metric), by_seed in metric_values(frames, search).items()
        for scored in winner.scores
    ]
    found = pd.DataFrame([*_single_task(frames), *rows])
    if found.empty:
        return pd.DataFrame(columns=[*_COLUMNS])
    found["study"] = frames.name
    found["dataset"] = found["study"] + "/" + found["task"] + "/" + found["metric"]
    keys = zip(found["task"], found["metric"], strict=True)
    found["direction"] = [directions[key] for key in keys]
    return found[[*_COLUMNS]]


_COLUMNS = (
    *("model", "dataset", "metric", "score", "seed", "direction"),
    *("study", "search", "task", "kind", "trial", "run"),
)


def _single_task(frames: StudyFrames) -> list[dict[str, object]]:
    runs = baseline_runs(frames).set_index("run")
    if runs.empty:
        return []
    values = selected_metrics(frames, runs.index.tolist())
    keys = zip(values["run"], values["task"], values["metric"], strict=True)
    known = dict(zip(keys, values["value"].tolist(), strict=True))
    return [
        {
            "model": "STL",
            "search": row["search"],
            "task": metric.task,
            "metric": metric.name,
            "score": known[run, metric.task, metric.name],
            "seed": row["seed"],
            "kind": "zero line",
            "trial": row["trial"],
            "run": run,
        }
        for run, row in runs.iterrows()
        for metric in frames.metrics
        if (run, metric.task, metric.name) in known
    ]


def gains_by_seed(frames: StudyFrames) -> dict[str, FloatArray]:
    """Method to its scores ``[S, M]``, as `rliable` reads them: higher is better.

    A score is what a run gains on the single-task networks by a metric, -100 o_j (m_j - B_j)/|B_j|
    in percent, -inf where the run diverged: its mean over metrics is minus delta_m.

    Raises:
        NoTable: As `scores_by_seed`; or there are no numbers of single-task networks.
    """
    refuse_without_methods(frames)
    base = frames.standing_baseline("test")
    if not base:
        raise NoTable(
            "Scores for rliable are gains on single-task networks. "
            f"Got {frames.name!r}, which has no numbers of those yet, or no [baseline]. "
            "Write values as they are: -o scores.csv --by-seed"
        )
    found = {}
    for search in frames.searches:
        values = metric_values(frames, search)
        if values:
            columns = [
                _gains([*values[m.task, m.name].values()], base[m.task, m.name], m.sign)
                for m in frames.metrics
            ]
            found[title_of(frames, search)] = np.stack(columns, axis=1)
    return found


def _gains(values: list[float], base: float, sign: int) -> FloatArray:
    """``[S]``; ends beyond all numbers where a value does."""
    array = np.asarray(values, dtype=np.float64)
    gains: FloatArray = np.where(
        np.isfinite(array), -100 * sign * (array - base) / abs(base), -math.inf
    )
    return gains
