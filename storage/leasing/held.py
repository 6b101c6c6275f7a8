"""Leases as their holder has them in the database, which may be more than it knows of."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.schema.tables import runs
from storage.states import RunState

_LEASED_BY = (
    sa.select(runs.c.id, runs.c.token)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.LEASED,
        runs.c.holder_id == bindparam("holder"),
    )
    .order_by(runs.c.id)
)


def leased_by(connection: Connection, study_id: int, holder_id: int) -> list[tuple[int, int]]:
    """(run, token) of each lease of a holder in a study."""
    found = connection.execute(_LEASED_BY, {"study": study_id, "holder": holder_id})
    return [(row.id, row.token) for row in found]
