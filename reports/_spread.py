"""How values of a study differ from seed to seed: what frames tell, as `reports.inference` has it.

Shapes: q trials, S seeds.
"""

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Final

import numpy as np
import pandas as pd

from reports._eligible import Eligible, eligible
from reports._once import once_per_study
from reports._selected import selected_metrics
from reports.frames import StudyFrames
from reports.inference import Components, MeanSquare
from reports.inference.baseline import baseline_part, delta_m_slopes
from reports.measures import FloatArray, IntArray
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M

_FEWEST_TRIALS: Final = 4


@once_per_study
def components_of(frames: StudyFrames, search: str) -> Components | None:
    """How test values of the best trials vary.

    Returns:
        None while no trial has a value under every seed.
    """
    rows = best_trials(frames, search)
    return Components.of(eligible(frames, search).test[rows]) if len(rows) else None


def runs_of_best(frames: StudyFrames, search: str) -> IntArray:
    """``[q, S]``, runs of the same trials."""
    return eligible(frames, search).runs[best_trials(frames, search)]


def metric_components(frames: StudyFrames, runs: IntArray) -> Mapping[tuple[str, str], Components]:
    """(task, metric) to how its test values vary, without metrics that not each of the runs has.

    Args:
        runs: ``[q, S]``.
    """
    if not len(runs):
        return {}
    values = selected_metrics(frames, runs.flatten().tolist())
    found = {
        (str(task), str(metric)): of_one.set_index("run")["value"].reindex(runs.flatten())
        for (task, metric), of_one in values.groupby(["task", "metric"])
    }
    return {
        key: Components.of(column.to_numpy(dtype=np.float64).reshape(runs.shape))
        for key, column in found.items()
        if np.isfinite(column).all()
    }


def best_trials(frames: StudyFrames, search: str) -> IntArray:
    """Rows of the best q = max(4, N/3) eligible trials by validation, N/3 rounded up."""
    return best_rows(eligible(frames, search))


def best_rows(trials: Eligible) -> IntArray:
    """Rows of the best q = max(4, N/3) of some trials by validation, N/3 rounded up."""
    scored = np.isfinite(trials.keys).all(axis=1) & np.isfinite(trials.test).all(axis=1)
    rows = np.flatnonzero(scored)
    keys = (trials.keys[rows].mean(axis=1), *(tie[rows] for tie in trials.ties))
    order = np.lexsort(keys[::-1])
    most = max(_FEWEST_TRIALS, math.ceil(len(rows) / 3))
    return rows[order[:most]]


def baseline_parts(
    frames: StudyFrames, metrics: Mapping[tuple[str, str], float], objective: Objective
) -> list[MeanSquare] | None:
    """Variance that a method's value gets by comparing it with the single-task networks.

    Args:
        metrics: (task, metric) to the method's test value.
        objective: What the value is of.

    Returns:
        None where nothing tells it: numbers were imported, there is one seed, or the objective
        makes its value of several metrics in a way of its own.
    """
    base, values = frames.standing_baseline("test"), baseline_values(frames)
    names = [(task, name) for task, name, _ in objective.metrics]
    if not all(name in base and name in values and name in metrics for name in names):
        return None
    if objective.name == DELTA_M:
        signs = [1.0 if direction == "min" else -1.0 for *_, direction in objective.metrics]
        mine, alone = ([known[name] for name in names] for known in (metrics, base))
        slopes = dict(zip(names, delta_m_slopes(mine, alone, signs).tolist(), strict=True))
    elif len(names) == 1:  # the difference to the baseline's value
        slopes = {names[0]: -1.0}
    else:  # how metrics make its value up is its own
        return None
    by_task = (list(of_one) for _, of_one in groupby(names, key=lambda name: name[0]))
    return [
        baseline_part(
            [slopes[name] for name in of_one], np.stack([values[name] for name in of_one], axis=1)
        )
        for of_one in by_task
    ]


@once_per_study
def baseline_values(frames: StudyFrames) -> Mapping[tuple[str, str], FloatArray]:
    """(task, metric) to the test values of the single-task networks, by run, ``[S]``.

    Without metrics that have one seed, and those of imported numbers.
    """
    mine = baseline_runs(frames)
    if mine.empty:
        return {}
    rows = selected_metrics(frames, mine["run"].tolist())
    return {
        (str(task), str(metric)): of_one["value"].to_numpy(dtype=np.float64)
        for (task, metric), of_one in rows.groupby(["task", "metric"])
        if len(of_one) > 1
    }


@once_per_study
def baseline_runs(frames: StudyFrames) -> pd.DataFrame:
    """Rows of ``run_results`` that the single-task networks' numbers are means of.

    None where numbers were imported, or there are none yet.
    """
    table = frames.baseline
    table = table[table["standing"] & (table["split"] == "test") & (table["source"] != "imported")]
    table = table.dropna(subset=["trial"])
    chosen = set(zip("stl/" + table["task"], table["trial"].tolist(), strict=True))
    runs = frames.runs[
        (frames.runs["role"] == "baseline")
        & frames.runs["planned"]
        & (frames.runs["state"] == "done")
    ]
    cells = zip(runs["search"], runs["trial"], strict=True)
    return runs[np.array([cell in chosen for cell in cells], dtype=bool)]
