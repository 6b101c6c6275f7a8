"""How values of a study differ from seed to seed: what frames tell, as `reports.inference` has it.

Shapes: q trials, S seeds.
"""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from reports._eligible import eligible
from reports._once import once_per_search, once_per_study
from reports._ranking import objective_of
from reports._selected import selected_metrics
from reports.frames import StudyFrames
from reports.inference import Components, MeanSquare
from reports.inference.baseline import delta_m_parts
from storage.objectives.delta_m import NAME as DELTA_M

_FEWEST_TRIALS: Final = 4


@once_per_search
def components_of(frames: StudyFrames, search: str) -> Components | None:
    """Test values of the best q = max(4, N/3) trials by validation, N/3 rounded up.

    Returns:
        None while no trial has a value under every seed.
    """
    trials = eligible(frames, search)
    scored = np.isfinite(trials.keys).all(axis=1) & np.isfinite(trials.test).all(axis=1)
    rows = np.flatnonzero(scored)
    if not len(rows):
        return None
    keys = (trials.keys[rows].mean(axis=1), *(tie[rows] for tie in trials.ties))
    order = np.lexsort(keys[::-1])
    most = max(_FEWEST_TRIALS, math.ceil(len(rows) / 3))
    return Components.of(trials.test[rows[order[:most]]])


def baseline_parts(
    frames: StudyFrames, metrics: Mapping[tuple[str, str], float]
) -> list[MeanSquare] | None:
    """Variance that a method's value gets by comparing it with the single-task networks.

    Args:
        metrics: (task, metric) to the method's test value.

    Returns:
        None where nothing tells it: numbers were imported, there is one seed, or the objective
        makes its value of several metrics in a way of its own.
    """
    base, spread = frames.standing_baseline("test"), baseline_spread(frames)
    objective = objective_of(frames)
    names = [(task, name) for task, name, _ in objective.metrics]
    if not all(name in base and name in spread and name in metrics for name in names):
        return None
    if objective.name != DELTA_M and len(names) > 1:  # how metrics make its value up is its own
        return None
    variances, n_seeds = zip(*(spread[name] for name in names), strict=True)
    if objective.name != DELTA_M:
        (variance,), (seeds,) = variances, n_seeds
        return [MeanSquare(value=variance, weight=1 / seeds, df=seeds - 1)]
    values = [metrics[name] for name in names]
    return delta_m_parts(values, [base[name] for name in names], variances, n_seeds)


@once_per_study
def baseline_spread(frames: StudyFrames) -> Mapping[tuple[str, str], tuple[float, int]]:
    """(task, metric) to the variance over seeds of the single-task networks on test, and S_B.

    Without metrics that have one seed, and those of imported numbers.
    """
    table = frames.baseline
    table = table[table["standing"] & (table["split"] == "test") & (table["source"] != "imported")]
    table = table.dropna(subset=["trial"])
    if table.empty:
        return {}
    chosen = set(zip("stl/" + table["task"], table["trial"].tolist(), strict=True))
    runs = frames.runs[
        (frames.runs["role"] == "baseline")
        & frames.runs["planned"]
        & (frames.runs["state"] == "done")
    ]
    cells = zip(runs["search"], runs["trial"], strict=True)
    mine = runs.loc[[cell in chosen for cell in cells], "run"]
    if mine.empty:
        return {}
    by_metric = selected_metrics(frames, mine.tolist()).groupby(["task", "metric"])["value"]
    found = by_metric.agg(["var", "size"])
    return {
        (str(task), str(metric)): (float(variance), int(size))
        for (task, metric), variance, size in zip(
            found.index, found["var"], found["size"], strict=True
        )
        if size > 1
    }
