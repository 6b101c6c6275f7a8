"""Reports of workers become rows: one transaction a batch, stale tokens refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._dialects import insert_for, insert_ignoring
from storage._studies import now
from storage._tables import attempts, checkpoints, epoch_values, epochs, runs, series
from storage.records import CheckpointRecord, Ending, EpochRecord, Rejected, Report, Spent
from storage.states import RunState, check_move

_PHASES = ("startup_s", "train_s", "validation_s", "test_s", "checkpoint_s", "diagnostics_s")
_COUNTS = ("samples", "grad_evals")

_CURRENT = (
    sa.select(runs.c.id, runs.c.token, runs.c.study_id, attempts.c.id.label("attempt"))
    .join(attempts, sa.and_(attempts.c.run_id == runs.c.id, attempts.c.token == runs.c.token))
    .where(runs.c.id.in_(bindparam("ids", expanding=True)), runs.c.state == RunState.LEASED)
    .order_by(runs.c.id)
    # a run is not taken away between the look at its token and the writing of its rows
    .with_for_update(of=runs)
)
_SERIES = sa.select(series).where(series.c.study_id == bindparam("study"))
_PROGRESS = (
    runs.update().where(runs.c.id == bindparam("run")).values(epochs_done=bindparam("epoch"))
)
_END = (
    runs.update()
    .where(
        runs.c.id == bindparam("run"),
        runs.c.token == bindparam("old_token"),
        runs.c.state == RunState.LEASED,
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        diverged_epoch=bindparam("bad_epoch"),
        ended_at=bindparam("at"),
        holder_id=None,
        lease_until_s=None,
    )
)
_END_ATTEMPT = (
    attempts.update()
    .where(attempts.c.id == bindparam("attempt"))
    .values(
        state=bindparam("new_state"),
        failure=bindparam("class"),
        detail=bindparam("text"),
        ended_at=bindparam("at"),
    )
)
_ADD_COST = (
    attempts.update()
    .where(attempts.c.id == bindparam("attempt"))
    .values(
        {name: attempts.c[name] + bindparam(f"d_{name}") for name in (*_PHASES, *_COUNTS)}
        | {"epochs": attempts.c.epochs + bindparam("d_epochs")}
    )
)
_ATTEMPT_STATE = {
    RunState.DONE: "finished",
    RunState.DIVERGED: "finished",
    RunState.PAUSED: "finished",
    RunState.FAILED: "failed",
    RunState.WAITING: "released",
}


class Recorder:
    """Writes reports; remembers the numbers of the metric series."""

    def __init__(self) -> None:
        self._series: dict[tuple[int, str, str, str], int] = {}

    def record(self, connection: Connection, reports: Sequence[Report]) -> list[Rejected]:
        """Write a batch; reports with a stale token are refused and returned."""
        ids = sorted({report.run for report in reports})
        current = {row.id: row for row in connection.execute(_CURRENT, {"ids": ids})}
        accepted, rejected = [], []
        for report in reports:
            row = current.get(report.run)
            if row is None or row.token != report.token:
                rejected.append(Rejected(run=report.run, token=report.token))
            else:
                accepted.append((report, row))
        self._write_epochs(connection, accepted)
        self._write_checkpoints(connection, accepted)
        _add_costs(connection, accepted)
        for report, row in accepted:
            if isinstance(report, Ending):
                _end(connection, report, row.attempt)
        return rejected

    def forget(self) -> None:
        """Drop what is remembered: a transaction was rolled back, its rows are gone."""
        self._series.clear()

    def _write_epochs(self, connection: Connection, accepted: Sequence[tuple[Report, Any]]) -> None:
        heads, values, last = [], [], {}
        for report, row in accepted:
            if not isinstance(report, EpochRecord):
                continue
            heads.append(_epoch_row(report.run, report.epoch, row.attempt, report.spent))
            last[report.run] = report.epoch
            values += [
                {
                    "run_id": report.run,
                    "epoch": report.epoch,
                    "series_id": self._series_id(connection, row.study_id, *name),
                    "value": value,
                }
                for *name, value in report.values
            ]
        _upsert(connection, epochs, heads)
        _upsert(connection, epoch_values, values)
        if last:
            connection.execute(
                _PROGRESS, [{"run": run, "epoch": epoch} for run, epoch in last.items()]
            )

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
            connection.execute(checkpoints.insert(), rows)

    def _series_id(
        self, connection: Connection, study_id: int, split: str, task: str, metric: str
    ) -> int:
        key = (study_id, split, task, metric)
        if key not in self._series:
            self._load_series(connection, study_id)
        if key not in self._series:
            connection.execute(
                insert_ignoring(connection, series),
                {"study_id": study_id, "split": split, "task": task, "metric": metric},
            )
            self._load_series(connection, study_id)
        return self._series[key]

    def _load_series(self, connection: Connection, study_id: int) -> None:
        for row in connection.execute(_SERIES, {"study": study_id}):
            self._series[study_id, row.split, row.task, row.metric] = row.id


def _end(connection: Connection, ending: Ending, attempt: int) -> None:
    check_move(RunState.LEASED, ending.state)
    at = now()
    diverged = ending.state is RunState.DIVERGED
    if diverged:
        # the epoch that went wrong has a cost, though no values
        row = _epoch_row(ending.run, ending.epoch + 1, attempt, ending.spent)
        _upsert(connection, epochs, [row])
    connection.execute(
        _END,
        {
            "run": ending.run,
            "old_token": ending.token,
            "new_state": ending.state,
            "why": ending.reason,
            "bad_epoch": ending.epoch + 1 if diverged else None,
            "at": None if ending.state is RunState.WAITING else at,
        },
    )
    connection.execute(
        _END_ATTEMPT,
        {
            "attempt": attempt,
            "new_state": _ATTEMPT_STATE[ending.state],
            "class": ending.failure,
            "text": ending.detail,
            "at": at,
        },
    )


def _add_costs(connection: Connection, accepted: Sequence[tuple[Report, Any]]) -> None:
    """Add what each attempt has spent, once an attempt and batch."""
    sums: dict[int, dict[str, float]] = {}
    for report, row in accepted:
        total = sums.setdefault(
            row.attempt, {f"d_{name}": 0 for name in (*_PHASES, *_COUNTS, "epochs")}
        )
        for name in (*_PHASES, *_COUNTS):
            total[f"d_{name}"] += getattr(report.spent, name)
        total["d_epochs"] += isinstance(report, EpochRecord)
    rows = [{"attempt": attempt, **total} for attempt, total in sums.items()]
    if rows:
        connection.execute(_ADD_COST, rows)


def _epoch_row(run: int, epoch: int, attempt: int, spent: Spent) -> dict[str, Any]:
    return {
        "run_id": run,
        "epoch": epoch,
        "attempt_id": attempt,
        "train_s": spent.train_s,
        "validation_s": spent.validation_s,
        "grad_evals": spent.grad_evals,
    }


def _upsert(connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; an epoch that an earlier attempt wrote is written anew."""
    if rows:
        connection.execute(_upserts(connection.dialect.name)[table], rows)


_UPSERTS: dict[str, dict[sa.Table, sa.Insert]] = {}


def _upserts(dialect: str) -> dict[sa.Table, sa.Insert]:
    """The upsert statement of each epoch table, built once a dialect."""
    if dialect not in _UPSERTS:
        _UPSERTS[dialect] = {}
        for table in (epochs, epoch_values):
            statement = insert_for(dialect, table)
            keys = [column.name for column in table.primary_key]
            news = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}
            _UPSERTS[dialect][table] = statement.on_conflict_do_update(
                index_elements=keys, set_=news
            )
    return _UPSERTS[dialect]
