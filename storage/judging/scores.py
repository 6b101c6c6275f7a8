"""Scores of runs: selected epoch and delta_m under the standing baseline, derived from epoch rows.

They are derived data, keyed by the baseline's hash and made anew when it changes; nothing else
in a run's record depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.records import Baseline
from storage.schema.dialects import put
from storage.schema.tables import epoch_values, runs, scores, searches, series
from storage.scoring import Score, Selection, delta_m_curve, select
from storage.states import RunState

Metric = tuple[str, str, str]  # task, metric, direction

_UNSCORED = (
    sa.select(runs.c.id, searches.c.name)
    .join(searches, searches.c.id == runs.c.search_id)
    .outerjoin(
        scores,
        sa.and_(scores.c.run_id == runs.c.id, scores.c.baseline_hash == bindparam("hash")),
    )
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.DONE,
        runs.c.role.in_(["baseline", "function"]) == bindparam("alone"),
        scores.c.run_id.is_(None),
    )
    .order_by(runs.c.id)
)
_UNSCORED_AMONG = _UNSCORED.where(runs.c.id.in_(bindparam("only", expanding=True)))
_VALUES = (
    sa.select(
        epoch_values.c.epoch, series.c.split, series.c.task, series.c.metric, epoch_values.c.value
    )
    .join(series, series.c.id == epoch_values.c.series_id)
    .where(epoch_values.c.run_id == bindparam("run"), series.c.split.in_(["validation", "test"]))
    .order_by(epoch_values.c.epoch)
)

Table = dict[str, dict[tuple[str, str], list[float]]]
_Curves = dict[str, dict[tuple[str, str], dict[int, float]]]


def run_table(connection: Connection, run: int) -> Table:
    """Split -> (task, metric) -> values ``[E]`` of a run."""
    return {
        split: {name: list(curve.values()) for name, curve in curves.items()}
        for split, curves in _curves(connection, run).items()
    }


def _curves(connection: Connection, run: int) -> _Curves:
    """Split -> (task, metric) -> epoch -> value of a run, by rising epochs."""
    found: _Curves = {"validation": {}, "test": {}}
    for row in connection.execute(_VALUES, {"run": run}):
        found[row.split].setdefault((row.task, row.metric), {})[row.epoch] = row.value
    return found


def score_stl(
    connection: Connection,
    study_id: int,
    primary: Mapping[str, Metric],
    selection: Selection,
    only: Sequence[int] | None,
) -> None:
    """Score finished runs that need no baseline by their primary metric, named by their search.

    These are single-task runs and those of training functions, which may report no test split, and
    may have left a step out.
    """
    wanted = {"study": study_id, "alone": True, "hash": ""}
    for run, search in _unscored(connection, wanted, only):
        task, metric, direction = primary[search]
        curves = _curves(connection, run)
        validation = curves["validation"][task, metric]
        test = validation | curves["test"].get((task, metric), {})
        score = select(
            list(validation.values()),
            [test[epoch] for epoch in validation],
            selection=selection,
            lower=direction == "min",
        )
        score = replace(score, epoch=list(validation)[score.epoch - 1])
        _save(connection, run, "", score)


def score_mtl(
    connection: Connection,
    study_id: int,
    metrics: Sequence[Metric],
    baseline: Baseline,
    selection: Selection,
    only: Sequence[int] | None,
) -> None:
    """Score finished multi-task runs that the standing baseline has not scored yet."""
    wanted = {"study": study_id, "alone": False, "hash": baseline.hash}
    bases = {(b.split, b.task, b.metric): b.value for b in baseline.values}
    directions = [direction for _, _, direction in metrics]
    for run, _ in _unscored(connection, wanted, only):
        table = run_table(connection, run)
        curves = {}
        for split, by_metric in table.items():
            base = [bases[split, task, metric] for task, metric, _ in metrics]
            columns = [by_metric[task, metric] for task, metric, _ in metrics]
            curves[split] = delta_m_curve(columns, base, directions)
        score = select(curves["validation"], curves["test"], selection=selection)
        _save(connection, run, baseline.hash, score)


def _unscored(
    connection: Connection, wanted: Mapping[str, object], only: Sequence[int] | None
) -> Sequence[sa.Row[int, str]]:
    """Runs without a score and their searches' names; among `only`, or among all."""
    if only is None:
        return connection.execute(_UNSCORED, wanted).all()
    return connection.execute(_UNSCORED_AMONG, {**wanted, "only": list(only)}).all()


def _save(connection: Connection, run: int, baseline_hash: str, score: Score) -> None:
    put(
        connection,
        scores,
        {
            "run_id": run,
            "baseline_hash": baseline_hash,
            "epoch_selected": score.epoch,
            "value_val": score.validation,
            "value_test": score.test,
        },
    )
