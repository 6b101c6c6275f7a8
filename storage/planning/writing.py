"""What writing transactions share: the locks that they take, their times, the ids of new rows.

Transactions that wait for each other in a circle would be ended by PostgreSQL, so all of them lock
in one order: the study (`lock_study`), its runs by rising id (`lock_runs`), rows that studies share
(holders, environments, calibrations, series), and last the study's counter of changes
(`next_change`). Whoever has the counter waits for nobody any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.errors import StudyChanged
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import change_counters, runs, searches, studies

# without keeping others from adding rows that refer to it
_LOCKED = sa.select(studies.c.id, studies.c.name, studies.c.plan).with_for_update(
    key_share=True, of=studies
)
_LOCK_STUDY = _LOCKED.where(studies.c.id == bindparam("study"))
_LOCK_NAMED = _LOCKED.where(studies.c.name == bindparam("name"))
_LOCK_STUDY_OF = _LOCKED.join(searches, searches.c.study_id == studies.c.id).where(
    searches.c.id == bindparam("search")
)
_LOCK_RUNS = (
    sa.select(runs.c.id, runs.c.study_id)
    .where(runs.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(runs.c.id)
    .with_for_update()
)
_COUNT_UP = PreparedStatement(
    change_counters.update()
    .where(change_counters.c.study_id == bindparam("study"))
    .values(value=change_counters.c.value + 1)
    .returning(change_counters.c.value)
)


def now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


def lasting(seconds: float) -> dict[str, datetime]:
    """Begin and end of an attempt that ends now and took that long."""
    ended = now()
    return {"started_at": ended - timedelta(seconds=seconds), "ended_at": ended}


def add(connection: Connection, insert: sa.Insert, values: Mapping[str, Any]) -> int:
    """Insert one row and return its id."""
    (new_id,) = connection.execute(insert, values).inserted_primary_key or (0,)
    return int(new_id)


def lock_study(connection: Connection, study_id: int, plan: str | None = None) -> None:
    """Let one writer at a time change what stands in a study, until the transaction ends.

    Args:
        plan: By which the change was planned; None for changes that no plan decides.

    Raises:
        StudyChanged: The study is gone, or has another plan by now.
    """
    _checked(connection.execute(_LOCK_STUDY, {"study": study_id}).first(), plan)


def lock_named(connection: Connection, name: str) -> int:
    """The same for the study of that name, which is returned."""
    return _checked(connection.execute(_LOCK_NAMED, {"name": name}).first(), None)


def lock_study_of(connection: Connection, search_id: int, plan: str | None = None) -> int:
    """The same for the study of a search, which is returned."""
    return _checked(connection.execute(_LOCK_STUDY_OF, {"search": search_id}).first(), plan)


def lock_runs(connection: Connection, run_ids: Sequence[int]) -> int | None:
    """Keep others from moving runs of one study, which is returned; None if there are no such."""
    found = connection.execute(_LOCK_RUNS, {"ids": list(run_ids)}).all()
    return int(found[0].study_id) if found else None


def next_change(connection: Connection, study_id: int) -> int:
    """The number to stamp on what this transaction writes of a study, see `storage.changes`.

    Others who change the study wait until this transaction ends: numbers become visible in their
    order.

    Raises:
        StudyChanged: The study is gone.
    """
    counted = _COUNT_UP.rows(connection, {"study": study_id})
    return int(counted[0].value) if counted else _checked(None, None)


def gone() -> StudyChanged:
    """The error that a study is there no more."""
    return StudyChanged(
        "The study was deleted by another command while this one worked on it. Run the command "
        "again to begin it anew."
    )


def _checked(row: Any, plan: str | None) -> int:
    if row is None:
        raise gone()
    if plan is not None and row.plan != plan:
        raise StudyChanged(
            f"The study {row.name!r} was extended by another command while this one worked on it. "
            "What was trained is kept. Run the command again."
        )
    return int(row.id)
