"""Revisions: what was changed of a study's spec, or refused, and when."""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.records import Revision
from storage.schema.tables import revisions

_REVISIONS = (
    sa.select(revisions).where(revisions.c.study_id == bindparam("study")).order_by(revisions.c.id)
)


class Revisions(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that tells how a spec came to be."""

    @retried
    def revisions(self, study_id: int) -> list[Revision]:
        """All revisions of a study's spec, oldest first; what only said the same again is none."""
        with self._database.read() as connection:
            return [
                Revision(
                    made_at=row.made_at,
                    accepted=row.accepted,
                    spec=json.loads(row.spec),
                    runs_ended=row.runs_ended,
                )
                for row in connection.execute(_REVISIONS, {"study": study_id})
            ]
