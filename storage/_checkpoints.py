"""Rows of checkpoint files, for those who clear files away."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._tables import checkpoints, runs
from storage.records import CheckpointFile
from storage.states import RunState

_FILES = (
    sa.select(
        checkpoints.c.path,
        checkpoints.c.size_bytes,
        checkpoints.c.run_id,
        runs.c.state,
        checkpoints.c.epoch,
    )
    .join(runs, runs.c.id == checkpoints.c.run_id)
    .order_by(checkpoints.c.run_id, checkpoints.c.epoch.desc(), checkpoints.c.id.desc())
)
_OF_RUN = _FILES.where(checkpoints.c.run_id == bindparam("run"))
_OF_STUDY = _FILES.where(runs.c.study_id == bindparam("study"))
_FORGET = checkpoints.delete().where(checkpoints.c.path == bindparam("gone"))


def of_run(connection: Connection, run: int) -> list[CheckpointFile]:
    """A run's checkpoints, newest first."""
    return _listed(connection, _OF_RUN, {"run": run})


def of_study(connection: Connection, study_id: int) -> list[CheckpointFile]:
    """All checkpoints of a study by run, newest first."""
    return _listed(connection, _OF_STUDY, {"study": study_id})


def forget(connection: Connection, path: str) -> None:
    """Drop the rows of a file, so that no run goes on from it."""
    connection.execute(_FORGET, {"gone": path})


def _listed(
    connection: Connection, query: sa.Select[tuple[object, ...]], values: dict[str, int]
) -> list[CheckpointFile]:
    return [
        CheckpointFile(
            path=row.path,
            size_bytes=row.size_bytes,
            run=row.run_id,
            state=RunState(row.state),
            epoch=row.epoch,
        )
        for row in connection.execute(query, values)
    ]
