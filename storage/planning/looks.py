"""What workers have found of a study's network, by the code that it was made by."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.records import NetworkLook
from storage.schema.dialects import put
from storage.schema.tables import looks

_FOUND = sa.select(looks).where(
    looks.c.study_id == bindparam("study_id"), looks.c.key == bindparam("key")
)


def find(connection: Connection, study_id: int, key: str) -> NetworkLook | None:
    """What was found under this key; None if nobody has looked."""
    row = connection.execute(_FOUND, {"study_id": study_id, "key": key}).first()
    if row is None:
        return None
    return NetworkLook(
        convolutional=row.convolutional,
        obstacle=row.obstacle,
        streamed=row.streamed,
        unsaved=row.unsaved,
    )


def save(connection: Connection, study_id: int, key: str, found: NetworkLook) -> None:
    """Store what was found in the place of what was found before."""
    values = {
        "study_id": study_id,
        "key": key,
        "convolutional": found.convolutional,
        "obstacle": found.obstacle,
        "streamed": found.streamed,
        "unsaved": found.unsaved,
    }
    put(connection, looks, values)
