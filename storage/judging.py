"""Judging: what finished runs are worth, and what was decided by it.

Scores are derived data, keyed by the baseline's hash and made anew when it changes; nothing else
in a run's record depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning import history as _history
from storage.planning.opened import OpenedDatabase
from storage.records import Baseline, Decision
from storage.schema.dialects import put
from storage.schema.tables import epoch_values, runs, scores, searches, series
from storage.scoring import ByMetric, Metric, Score, Selection, delta_m_curve, select
from storage.states import RunState

_SPLITS = ("validation", "test")

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
    .where(epoch_values.c.run_id == bindparam("run"), series.c.split.in_(_SPLITS))
    .order_by(epoch_values.c.epoch)
)

Table = dict[str, dict[tuple[str, str], list[float]]]
_Curves = dict[str, dict[tuple[str, str], dict[int, float]]]


class Judging(OpenedDatabase):
    """The part of `storage.Storage` that scores runs and keeps decisions."""

    @retried
    def decide(self, search_id: int, decision: Decision, *, plan: str | None = None) -> None:
        """Store a stage's winner; later stages are decided anew.

        Args:
            plan: Of the study, as it was when this was decided.

        Raises:
            StudyChanged: It has another one by now, or is gone.
        """
        with self._database.write() as connection:
            _history.decide(connection, search_id, decision, plan=plan)

    @retried
    def reopen_decisions(self, study_id: int) -> int:
        """Let a study's decisions be taken again; returns how many stood."""
        with self._database.write() as connection:
            return _history.reopen_decisions(connection, study_id)

    @retried
    def baseline(self, study_id: int) -> Baseline | None:
        """The baseline in force."""
        with self._database.read() as connection:
            return _history.standing_baseline(connection, study_id)

    @retried
    def set_baseline(self, study_id: int, baseline: Baseline, *, plan: str | None = None) -> None:
        """Put a baseline in force.

        Args:
            plan: Of the study, as it was when this was measured.

        Raises:
            StudyChanged: It has another one by now, or is gone.
        """
        with self._database.write() as connection:
            _history.set_baseline(connection, study_id, baseline, plan=plan)

    @retried
    def score_stl(
        self,
        study_id: int,
        primary: Mapping[str, Metric],
        selection: Selection,
        *,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished runs that need no baseline (all, or among `only`) by their primary metric.

        These are single-task runs and those of training functions, which may report no test split,
        and may have left a step out.

        Args:
            primary: (task, metric, direction) by search name.
        """
        wanted = {"study": study_id, "alone": True, "hash": ""}
        with self._database.write() as connection:
            for run, search in _unscored(connection, wanted, only):
                score = _score_alone(_curves(connection, run), primary[search], selection)
                _save(connection, run, "", score)

    @retried
    def score_mtl(
        self,
        study_id: int,
        metrics: Sequence[Metric],
        baseline: Baseline,
        selection: Selection,
        *,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished multi-task runs (all, or among `only`) that this baseline has not yet."""
        wanted = {"study": study_id, "alone": False, "hash": baseline.hash}
        bases = {split: baseline.on(split) for split in _SPLITS}
        with self._database.write() as connection:
            for run, _ in _unscored(connection, wanted, only):
                score = _score_together(_table(connection, run), metrics, bases, selection)
                _save(connection, run, baseline.hash, score)

    @retried
    def run_table(self, run: int) -> Table:
        """Split -> (task, metric) -> values ``[E]`` by epoch of one run."""
        with self._database.read() as connection:
            return _table(connection, run)


def _table(connection: Connection, run: int) -> Table:
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


def _score_alone(curves: _Curves, primary: Metric, selection: Selection) -> Score:
    task, metric, direction = primary
    validation = curves["validation"][task, metric]
    test = validation | curves["test"].get((task, metric), {})
    score = select(
        list(validation.values()),
        [test[epoch] for epoch in validation],
        selection=selection,
        lower=direction == "min",
    )
    return replace(score, epoch=list(validation)[score.epoch - 1])


def _score_together(
    table: Table,
    metrics: Sequence[Metric],
    bases: Mapping[str, ByMetric[float]],
    selection: Selection,
) -> Score:
    validation, test = (delta_m_curve(table[split], bases[split], metrics) for split in _SPLITS)
    return select(validation, test, selection=selection)


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
