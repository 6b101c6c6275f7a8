"""Reports of workers become rows: one transaction a batch, stale tokens refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import now
from storage.recording.costs import Costs
from storage.recording.progress import EPOCHS, epoch_row, write_progress
from storage.recording.repeats import find_mismatches, is_known
from storage.records import (
    MEASURES,
    PAIRINGS,
    CheckpointRecord,
    Ending,
    EpochRecord,
    NetworkRecord,
    Recorded,
    Rejected,
    Report,
)
from storage.schema.bulk import Upsert
from storage.schema.dialects import insert_ignoring, put
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import (
    attempts,
    checkpoints,
    epoch_values,
    exhibits,
    gradient_pairs,
    networks,
    runs,
    series,
)
from storage.schema.texts import storable_name
from storage.states import RunState

_BAD_REPORT = "BadReport"
_MOST_EPOCHS = 2**31 - 1
_TASK, _METRIC = series.c.task.type.most, series.c.metric.type.most  # type: ignore[attr-defined]

_CURRENT = PreparedStatement(
    sa.select(
        runs.c.id,
        runs.c.token,
        runs.c.study_id,
        runs.c.state,
        attempts.c.id.label("attempt"),
        attempts.c.state.label("attempt_state"),
    )
    .join(attempts, sa.and_(attempts.c.run_id == runs.c.id, attempts.c.token == runs.c.token))
    .where(runs.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(runs.c.id)
    # a run is not taken away between the look at its token and the writing of its rows
    .with_for_update(of=runs)
)
_SERIES = sa.select(series).where(series.c.study_id == bindparam("study"))
_VALUES = Upsert(epoch_values)
_PAIRS = Upsert(gradient_pairs)
_FORGET_NETWORKS = networks.delete().where(
    networks.c.run_id == bindparam("run"), networks.c.attempt_id != bindparam("attempt")
)

_Series = tuple[int, str, str, str]


class Recording(OpenedDatabase):
    """The part of `storage.Storage` that writes what workers report."""

    _recorder: Recorder

    @retried
    def record(self, reports: Sequence[Report]) -> Recorded:
        """Write workers' reports in one transaction; writing them twice changes nothing."""
        try:
            with self._database.write() as connection:
                recorded = self._recorder.record(connection, reports)
        except BaseException:
            self._recorder.forget()
            raise
        self._recorder.keep()
        return recorded


class Recorder:
    """Writes reports; remembers the numbers of the metric series, and what attempts have cost.

    After `record` the caller ends the transaction and says how that went: `keep` or `forget`.
    """

    def __init__(self) -> None:
        self._series: dict[_Series, int] = {}
        self._costs = Costs()

    def record(self, connection: Connection, reports: Sequence[Report]) -> Recorded:
        """Write a batch; writing one twice changes nothing.

        Refused are reports with a stale token, and such of ended attempts as are new. A run that
        reports what no database holds has failed; the others of the batch are written.
        """
        reports = [_storable(report) for report in reports]
        ids = sorted({report.run for report in reports})
        current = {row.id: row for row in _CURRENT.rows(connection, {"ids": ids})}
        accepted, rejected = [], []
        for report in reports:
            row = current.get(report.run)
            if row is None or row.token != report.token:
                rejected.append(report)
            elif row.state == RunState.LEASED:
                accepted.append((report, row))
            elif not is_known(connection, report, row):
                rejected.append(report)
        mismatches = find_mismatches(connection, accepted)
        progress = self._write_epochs(connection, accepted)
        self._write_checkpoints(connection, accepted)
        _write_networks(connection, accepted)
        # what takes its time is written: others may wait from here on
        write_progress(connection, accepted, progress, self._costs.rows(accepted))
        return Recorded(
            rejected=[Rejected(run=report.run, token=report.token) for report in rejected],
            mismatches=mismatches,
        )

    def keep(self) -> None:
        """The transaction was committed."""
        self._costs.keep()

    def forget(self) -> None:
        """Drop what is remembered of a transaction that was rolled back: its rows are gone."""
        self._series.clear()
        self._costs.forget()

    def _write_epochs(
        self, connection: Connection, accepted: Sequence[tuple[Report, Any]]
    ) -> dict[int, int]:
        """Write epochs and their values; returns the last epoch of each run."""
        heads, values, last = [], [], {}
        epochs = [(report, row) for report, row in accepted if isinstance(report, EpochRecord)]
        self._know_series(
            connection,
            {
                (row.study_id, split, task, metric): None
                for report, row in epochs
                for split, task, metric, _ in report.values
            },
        )
        for report, row in epochs:
            heads.append(epoch_row(report.epoch, row.attempt, report))
            last[report.run] = report.epoch
            values += [
                {
                    "run_id": report.run,
                    "epoch": report.epoch,
                    "series_id": self._series[row.study_id, split, task, metric],
                    "value": value,
                }
                for split, task, metric, value in report.values
            ]
        EPOCHS.write(connection, heads)
        _VALUES.write(connection, values)
        _PAIRS.write(connection, [row for report, _ in epochs for row in _pair_rows(report)])
        _write_exhibits(connection, [report for report, _ in epochs])
        return last

    def _write_checkpoints(
        self, connection: Connection, accepted: Sequence[tuple[Report, Any]]
    ) -> None:
        rows = [
            {
                "run_id": report.run,
                "attempt_id": row.attempt,
                "epoch": report.epoch,
                "path": report.path,
                "size_bytes": report.size_bytes,
                "created_at": now(),
            }
            for report, row in accepted
            if isinstance(report, CheckpointRecord)
        ]
        if rows:
            connection.execute(insert_ignoring(connection, checkpoints), rows)

    def _know_series(self, connection: Connection, wanted: Iterable[_Series]) -> None:
        """Look ids up, and make those that are new; in a few statements, however many they are."""
        if new := self._unknown_series(connection, wanted):
            connection.execute(
                insert_ignoring(connection, series),
                [
                    {"study_id": study_id, "split": split, "task": task, "metric": metric}
                    for study_id, split, task, metric in new
                ],
            )
            self._unknown_series(connection, new)

    def _unknown_series(self, connection: Connection, wanted: Iterable[_Series]) -> list[_Series]:
        """Those without an id, after a look into the database for what was not known."""
        unknown = [one for one in wanted if one not in self._series]
        for study_id in {study_id for study_id, *_ in unknown}:
            self._load_series(connection, study_id)
        return [one for one in unknown if one not in self._series]

    def _load_series(self, connection: Connection, study_id: int) -> None:
        for row in connection.execute(_SERIES, {"study": study_id}):
            self._series[study_id, row.split, row.task, row.metric] = row.id


def _pair_rows(report: EpochRecord) -> Iterator[dict[str, Any]]:
    """Rows of `gradient_pairs`."""
    for found in report.conflicts:
        yield {
            "run_id": report.run,
            "epoch": report.epoch,
            "pairing": PAIRINGS.index(found.pairing),
            "measure": MEASURES.index(found.measure),
            "n_pairs": found.n_pairs,
            "n_left_out": found.n_left_out,
            **{name: getattr(found, name) for name in ("mean", "sd", "low", "median", "high")},
            "one_by_one": int(found.one_by_one),
        }


def _write_exhibits(connection: Connection, reports: Sequence[EpochRecord]) -> None:
    """Put each in the place of the one before, as its name and round say."""
    for report in reports:
        for shown in report.exhibits:
            row = {
                "run_id": report.run,
                "name": shown.name,
                "round": shown.round,
                "kept_epoch": report.epoch if shown.each_epoch else 0,
                "epoch": report.epoch,
                "split": shown.split,
                "kind": shown.kind,
                "title": shown.title,
                "content": shown.content,
            }
            put(connection, exhibits, row)


def _write_networks(connection: Connection, accepted: Sequence[tuple[Report, Any]]) -> None:
    of_runs = [(report, row) for report, row in accepted if isinstance(report, NetworkRecord)]
    for report, row in of_runs:
        connection.execute(_FORGET_NETWORKS, {"run": report.run, "attempt": row.attempt})
    rows = [
        {
            "study_id": row.study_id,
            "run_id": report.run,
            "attempt_id": row.attempt,
            "epoch": file.epoch,
            "path": file.path,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            "created_at": now(),
        }
        for report, row in of_runs
        for file in report.files
    ]
    if rows:
        connection.execute(insert_ignoring(connection, networks), rows)


def _storable(report: Report) -> Report:
    """The report with names as they are stored, or the end of its run."""
    if not isinstance(report, EpochRecord):
        return report
    wrong = _wrong(report)
    if wrong:
        return Ending(
            run=report.run,
            token=report.token,
            state=RunState.FAILED,
            epoch=0,
            spent=report.spent,
            reason=f"A report has numbers that a database holds. Got {wrong}.",
            failure=_BAD_REPORT,
            failure_key=_BAD_REPORT,
        )
    values = [
        (split, storable_name(task, _TASK), storable_name(metric, _METRIC), value)
        for split, task, metric, value in report.values
    ]
    return replace(report, values=values)


def _wrong(report: EpochRecord) -> str:
    if not 1 <= report.epoch <= _MOST_EPOCHS:
        return f"an epoch outside 1 to {_MOST_EPOCHS}"
    if not 1 <= report.round <= _MOST_EPOCHS:
        return f"a round outside 1 to {_MOST_EPOCHS}"
    return next(
        (
            f"{value} for {split} {metric} of task {task}"
            for split, task, metric, value in report.values
            if math.isnan(value)
        ),
        "",
    )
