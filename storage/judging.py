"""Judging: what finished runs are worth.

Scores are derived data, keyed by the baseline's hash and made anew when it changes; nothing else
in a run's record depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.objectives import Objective
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import next_change
from storage.records import Reference
from storage.schema.dialects import put
from storage.schema.tables import epoch_values, runs, scores, searches, series
from storage.scoring import Selection, at_epoch, select
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
    .with_for_update(of=runs)
)
_UNSCORED_AMONG = _UNSCORED.where(runs.c.id.in_(bindparam("only", expanding=True)))
_STAMP = runs.update().where(runs.c.id == bindparam("run")).values(change=bindparam("number"))
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
    """The part of `storage.Storage` that scores runs."""

    @retried
    def score(
        self,
        study_id: int,
        objectives: Mapping[str, Objective],
        selection: Selection,
        *,
        reference: Reference | None = None,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished runs (all, or among `only`) that have no score yet.

        Those of training functions may report no test split, and may have left a step out.

        Args:
            objectives: What runs are worth, by their search's name; others are not scored.
            reference: By which delta_m is kept beside the value, at the value's epoch; what was
                scored under another baseline is scored anew. None while there is none, or for
                searches that never have one.
        """
        under = "" if reference is None else reference.baseline.hash
        wanted = {"study": study_id, "names": list(objectives), "hash": under}
        with self._database.write() as connection:
            found = _unscored(connection, wanted, only)
            if found:
                change = next_change(connection, study_id)
                connection.execute(_STAMP, [{"run": run, "number": change} for run, _ in found])
            for run, search in found:
                row = _scored(_curves(connection, run), objectives[search], selection, reference)
                put(connection, scores, {"run_id": run, "baseline_hash": under, **row})

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


def _scored(
    curves: _Curves, objective: Objective, selection: Selection, reference: Reference | None
) -> dict[str, object]:
    """A run's row of the table: its epoch, its value, and delta_m at that epoch."""
    epochs = list(curves["validation"][objective.metrics[0][:2]])
    validation, test = _by_split(curves, objective, epochs, reference)
    lower = objective.direction == "min"
    score = select(validation, test, selection=selection, lower=lower)
    row: dict[str, object] = {
        "objective": objective.name,
        "epoch_selected": epochs[score.epoch - 1],
        "value_val": score.validation,
        "value_test": score.test,
    }
    if reference is None:
        return row | {"delta_m_val": None, "delta_m_test": None}
    beside = (
        (validation, test)
        if objective == reference.delta_m
        else _by_split(curves, reference.delta_m, epochs, reference)
    )
    of_splits = [at_epoch(values, score.epoch, selection=selection) for values in beside]
    return row | dict(zip(("delta_m_val", "delta_m_test"), of_splits, strict=True))


def _by_split(
    curves: _Curves, objective: Objective, epochs: Sequence[int], reference: Reference | None
) -> list[list[float]]:
    """Values ``[E]`` on validation and test; a metric without test values has those of validation.

    Args:
        epochs: ``[E]``, those with values.
    """
    names = [(task, metric) for task, metric, _ in objective.metrics]
    found = []
    for split in _SPLITS:
        known = {name: curves["validation"][name] | curves[split].get(name, {}) for name in names}
        base = None if reference is None else reference.baseline.on(split)
        found.append(
            objective.curve({name: [known[name][e] for e in epochs] for name in names}, base)
        )
    return found


def _unscored(
    connection: Connection, wanted: Mapping[str, object], only: Sequence[int] | None
) -> Sequence[sa.Row[int, str]]:
    """Runs without a score and their searches' names; among `only`, or among all."""
    if only is None:
        return connection.execute(_UNSCORED, wanted).all()
    return connection.execute(_UNSCORED_AMONG, {**wanted, "only": list(only)}).all()
