"""The made-up study, ranked by one of its metrics instead of delta_m."""

import math
from typing import Any

from tests.unit.reports.synthetic._reader import FakeReader
from tests.unit.reports.synthetic._world import METRICS


def rank_by(made: FakeReader, name: str, *, baseline: bool = True) -> FakeReader:
    """Choose epochs by a metric, ``task.metric``, and say its values; delta_m beside as it was.

    Args:
        baseline: Whether the study has single-task networks; else nothing has a delta_m.
    """
    task, _, metric = name.partition(".")
    sign = next(sign for t, m, sign in METRICS if (t, m) == (task, metric))
    made.spec["objective"] = name
    curves: dict[tuple[int, str], dict[int, float]] = {}
    for row in made.rows["epoch_metrics"]:
        if (row["task"], row["metric"]) == (task, metric):
            curves.setdefault((row["run"], row["split"]), {})[row["epoch"]] = row["value"]
    for row in made.rows["run_results"]:
        if row["role"] != "baseline" and row["state"] == "done":
            row |= _score(curves[row["run"], "validation"], curves[row["run"], "test"], sign)
    if not baseline:
        _forget_baseline(made)
    return made


def search_front(made: FakeReader, *names: str) -> FakeReader:
    """Rank by several metrics: runs count by their last epoch, the first metric is their value."""
    rank_by(made, names[0])
    made.spec["objective"] = [*names]
    made.spec["compare"]["select_epoch"] = "last"
    task, _, metric = names[0].partition(".")
    last: dict[tuple[int, str], tuple[int, float]] = {}
    for row in made.rows["epoch_metrics"]:
        if (row["task"], row["metric"]) == (task, metric):
            key = row["run"], row["split"]
            last[key] = max(last.get(key, (0, 0.0)), (row["epoch"], row["value"]))
    for row in made.rows["run_results"]:
        if row["role"] != "baseline" and row["state"] == "done":
            epoch, row["value_val"] = last[row["run"], "validation"]
            row |= {"epoch_selected": epoch, "value_test": last[row["run"], "test"][1]}
    return made


def _score(validation: dict[int, float], test: dict[int, float], sign: float) -> dict[str, Any]:
    epoch = min(validation, key=lambda e: (sign * validation[e], e))
    return {"epoch_selected": epoch, "value_val": validation[epoch], "value_test": test[epoch]}


def _forget_baseline(made: FakeReader) -> None:
    made.rows["baseline_metrics"] = []
    runs = made.rows["run_results"]
    made.rows["run_results"] = [row for row in runs if row["role"] != "baseline"]
    for row in made.rows["run_results"]:
        row |= {"delta_m_val": math.nan, "delta_m_test": math.nan, "baseline_hash": None}
