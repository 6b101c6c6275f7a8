"""Rows of checkpoint files, for those who clear files away."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.records import CheckpointFile
from storage.schema.tables import checkpoints, runs
from storage.states import RunState

_OF_STUDY = (
    sa.select(
        checkpoints.c.path,
        checkpoints.c.size_bytes,
        checkpoints.c.run_id,
        runs.c.state,
        checkpoints.c.epoch,
    )
    .join(runs, runs.c.id == checkpoints.c.run_id)
    # The sum keeps SQLite from walking all runs of the study by their index: checkpoints are few.
    .where(runs.c.study_id + 0 == bindparam("study"))
    .order_by(checkpoints.c.id)
)
_FORGET = checkpoints.delete().where(checkpoints.c.path == bindparam("gone"))


def of_study(connection: Connection, study_id: int) -> list[CheckpointFile]:
    """All checkpoints of a study, oldest first."""
    return [
        CheckpointFile(
            path=row.path,
            size_bytes=row.size_bytes,
            run=row.run_id,
            state=RunState(row.state),
            epoch=row.epoch,
        )
        for row in connection.execute(_OF_STUDY, {"study": study_id})
    ]


def forget(connection: Connection, paths: Sequence[str]) -> None:
    """Drop the rows of files, so that no run goes on from them."""
    if paths:
        connection.execute(_FORGET, [{"gone": path} for path in sorted(paths)])
