"""The audit: every command that changes a study writes, in its transaction, who gave it."""

from __future__ import annotations

import getpass
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import now
from storage.records import Actor, AuditEntry, StudyRecord
from storage.schema.tables import audit, studies

_NEWEST = sa.select(audit).order_by(audit.c.id.desc()).limit(bindparam("n"))
# under whatever name it had then, and what other studies did that had the name
_OF_STUDY = _NEWEST.where(
    audit.c.study_birth.in_(
        sa.union(
            sa.select(studies.c.birth).where(studies.c.name == bindparam("name")),
            sa.select(audit.c.study_birth).where(audit.c.study_name == bindparam("name")),
        )
    )
)
_ADD = audit.insert()


def this_actor() -> Actor:
    """The user of this process, on this host, by this program."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        user = f"user {os.getuid()}"
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return Actor(who=f"{user}@{socket.gethostname()}", origin=f"{program} (process {os.getpid()})")


class Audited(OpenedDatabase):
    """What all parts of `storage.Storage` have that carry out commands."""

    _actor: Actor

    def _note(
        self,
        connection: Connection,
        study: StudyRecord,
        verb: str,
        *,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        """Write who changed what of a study, as a part of the transaction that does it."""
        values = {
            "made_at": now(),
            "who": self._actor.who,
            "origin": self._actor.origin,
            "verb": verb,
            "study_name": study.name,
            "study_birth": study.birth,
            "before": _canonical(before),
            "after": _canonical(after),
        }
        connection.execute(_ADD, values)


class AuditLog(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that tells who did what."""

    LONGEST: ClassVar[int] = 1_000

    @retried
    def audit(self, study: str | None = None, *, limit: int = LONGEST) -> list[AuditEntry]:
        """The newest commands, oldest first.

        Args:
            study: Of the study that has, or had, this name; None for those of all.
            limit: Most of them.
        """
        here = {"n": limit} if study is None else {"n": limit, "name": study}
        with self._database.read() as connection:
            rows = connection.execute(_NEWEST if study is None else _OF_STUDY, here).all()
        return [_entry(row) for row in reversed(rows)]


def _canonical(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        number=row.id,
        made_at=row.made_at,
        who=row.who,
        origin=row.origin,
        verb=row.verb,
        study=row.study_name,
        birth=row.study_birth,
        before=json.loads(row.before),
        after=json.loads(row.after),
    )
