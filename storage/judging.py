"""Judging: what finished runs are worth, and what was decided by it.

Scores are derived data, keyed by the baseline's hash and made anew when it changes; nothing else
in a run's record depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.objectives import ByMetric, Objective
from storage.planning import history as _history
from storage.planning.opened import OpenedDatabase
from storage.records import Baseline, Decision
from storage.schema.dialects import put
from storage.schema.tables import epoch_values, runs, scores, searches, series
from storage.scoring import Score, Selection, select
from storage.states import RunState

_SPLITS = ("validation", "test")

_HASH: Final = bindparam("hash", type_=sa.String)
_UNSCORED = (
    sa.select(runs.c.id, searches.c.name)
    .join(searches, searches.c.id == runs.c.search_id)
    .outerjoin(scores, scores.c.run_id == runs.c.id)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.DONE,
        searches.c.name.in_(bindparam("names", expanding=True)),
        sa.or_(
            scores.c.run_id.is_(None),
            sa.and_(_HASH != "", scores.c.baseline_hash != _HASH),
        ),
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
    def score(
        self,
        study_id: int,
        objectives: Mapping[str, Objective],
        selection: Selection,
        *,
        baseline: Baseline | None = None,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished runs (all, or among `only`) that have no score yet.

        Those of training functions may report no test split, and may have left a step out.

        Args:
            objectives: What runs are worth, by their search's name; others are not scored.
            baseline: In force; what was scored under another one is scored anew. None while it is
                not final, or for searches that never need it.
        """
        under = "" if baseline is None else baseline.hash
        bases = {split: None if baseline is None else baseline.on(split) for split in _SPLITS}
        wanted = {"study": study_id, "names": list(objectives), "hash": under}
        with self._database.write() as connection:
            for run, search in _unscored(connection, wanted, only):
                curves = _curves(connection, run)
                _save(connection, run, under, _score(curves, objectives[search], bases, selection))

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


def _score(
    curves: _Curves,
    objective: Objective,
    bases: Mapping[str, ByMetric[float] | None],
    selection: Selection,
) -> Score:
    """Values by epoch on both splits; a metric without test values is taken from validation."""
    validation = curves["validation"]
    names = [(task, metric) for task, metric, _ in objective.metrics]
    epochs = list(validation[names[0]])
    tested = {name: validation[name] | curves["test"].get(name, {}) for name in names}
    by_split = [
        objective.curve({name: [of[name][e] for e in epochs] for name in names}, bases[split])
        for split, of in (("validation", validation), ("test", tested))
    ]
    score = select(*by_split, selection=selection, lower=objective.direction == "min")
    return replace(score, epoch=epochs[score.epoch - 1])


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
