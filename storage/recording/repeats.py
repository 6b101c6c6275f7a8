"""Reports that came before: batches written twice, and epochs that were trained twice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.records import (
    CheckpointRecord,
    Ending,
    EpochRecord,
    Mismatch,
    NetworkRecord,
    Report,
)
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import (
    attempts,
    checkpoints,
    epoch_values,
    epochs,
    networks,
    series,
)
from storage.states import RunState

_ENDED = {
    RunState.DONE: "finished",
    RunState.DIVERGED: "finished",
    RunState.PAUSED: "finished",
    RunState.FAILED: "failed",
    RunState.WAITING: "released",
}
"""State of a run after an attempt -> state of the attempt."""


def attempt_state(ending: Ending) -> str:
    """State of an attempt that ends so; one that failed may leave a run that is tried again."""
    return "failed" if ending.failure else _ENDED[ending.state]


_Values = Mapping[tuple[str, str, str], float]

_STORED = PreparedStatement(
    sa.select(
        epochs.c.epoch,
        epochs.c.attempt_id,
        series.c.split,
        series.c.task,
        series.c.metric,
        epoch_values.c.value,
    )
    .select_from(
        epochs.outerjoin(
            epoch_values,
            sa.and_(
                epoch_values.c.run_id == epochs.c.run_id, epoch_values.c.epoch == epochs.c.epoch
            ),
        ).outerjoin(series, series.c.id == epoch_values.c.series_id)
    )
    .where(
        epochs.c.run_id == bindparam("run"),
        epochs.c.epoch >= bindparam("first"),
        epochs.c.epoch <= bindparam("last"),
    )
)
_HAS_CHECKPOINT = sa.select(checkpoints.c.id).where(
    checkpoints.c.path == bindparam("path"),
    checkpoints.c.run_id == bindparam("run"),
    checkpoints.c.epoch == bindparam("epoch"),
)
_N_NETWORKS = sa.select(sa.func.count()).where(
    networks.c.path.in_(bindparam("paths", expanding=True))
)
_COUNT = PreparedStatement(
    attempts.update()
    .where(attempts.c.id == bindparam("attempt"))
    .values(mismatched_epochs=attempts.c.mismatched_epochs + bindparam("more"))
)


def is_known(connection: Connection, report: Report, row: Any) -> bool:
    """Whether a report of an attempt that came to its own end is in the database just as it is."""
    if row.attempt_state not in _ENDED.values():
        return False
    if isinstance(report, Ending):
        return (row.state, row.attempt_state) == (report.state, attempt_state(report))
    if isinstance(report, CheckpointRecord):
        here = {"path": report.path, "run": report.run, "epoch": report.epoch}
        return connection.execute(_HAS_CHECKPOINT, here).first() is not None
    if isinstance(report, NetworkRecord):
        here = {"paths": [file.path for file in report.files]}
        return connection.scalar(_N_NETWORKS, here) == len(report.files)
    stored = _stored(connection, report.run, report.epoch, report.epoch)
    return report.epoch in stored and _equal(stored[report.epoch][1], _values(report))


def find_mismatches(
    connection: Connection, accepted: Sequence[tuple[Report, Any]]
) -> list[Mismatch]:
    """Epochs that an earlier attempt wrote with other values; counts them in their attempts."""
    again: dict[int, list[tuple[int, _Values]]] = {}
    rows = {}
    for report, row in accepted:
        if row.token > 1 and (written := _written(report)) is not None:
            again.setdefault(report.run, []).append(written)
            rows[report.run] = row
    found = []
    for run, written_epochs in again.items():
        numbers = [number for number, _ in written_epochs]
        stored = _stored(connection, run, min(numbers), max(numbers))
        differing = [
            Mismatch(run=run, epoch=number)
            for number, values in written_epochs
            if number in stored
            and stored[number][0] != rows[run].attempt
            and not _equal(stored[number][1], values)
        ]
        if differing:
            _COUNT.run(connection, {"attempt": rows[run].attempt, "more": len(differing)})
        found += differing
    return found


def _written(report: Report) -> tuple[int, _Values] | None:
    """The epoch that a report writes and its values; a diverged one has none."""
    if isinstance(report, EpochRecord):
        return report.epoch, _values(report)
    if isinstance(report, Ending) and report.state is RunState.DIVERGED:
        return report.epoch + 1, {}
    return None


def _values(report: EpochRecord) -> _Values:
    return {(split, task, metric): value for split, task, metric, value in report.values}


def _stored(
    connection: Connection, run: int, first: int, last: int
) -> dict[int, tuple[int, dict[tuple[str, str, str], float]]]:
    """Epoch -> the attempt that wrote it, and its values."""
    found: dict[int, tuple[int, dict[tuple[str, str, str], float]]] = {}
    for row in _STORED.rows(connection, {"run": run, "first": first, "last": last}):
        _, values = found.setdefault(row.epoch, (row.attempt_id, {}))
        if row.split is not None:  # a diverged epoch has no values
            values[row.split, row.task, row.metric] = row.value
    return found


def _equal(one: _Values, other: _Values) -> bool:
    return one.keys() == other.keys() and all(
        value == other[name] or (math.isnan(value) and math.isnan(other[name]))
        for name, value in one.items()
    )
