"""Notifications: messages about studies, each written once and claimed before it is sent.

Rows are written for an event by whoever sees it first. Who sends one claims it by compare-and-swap
on its number of attempts, and notes that it was taken. Who dies in between leaves a claim, which
runs out: it is sent again, with the same id, so that receivers can tell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.delivery import WAITS_S, given_up
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import now
from storage.records import Notification
from storage.schema.dialects import insert_for
from storage.schema.tables import notifications

_OF_STUDY = notifications.c.study_birth == bindparam("birth")
_ALL = sa.select(notifications).where(_OF_STUDY).order_by(notifications.c.id)
_OPEN = _ALL.where(notifications.c.delivered_at.is_(None))
_CLAIM = (
    notifications.update()
    .where(
        notifications.c.id == bindparam("one"),
        notifications.c.n_attempts == bindparam("seen"),
        notifications.c.delivered_at.is_(None),
    )
    .values(attempted_at=bindparam("at"), n_attempts=notifications.c.n_attempts + 1, last_error="")
)
_ONE = notifications.update().where(
    notifications.c.id == bindparam("one"), notifications.c.delivered_at.is_(None)
)
_DELIVERED = _ONE.values(delivered_at=bindparam("at"), last_error="")
_FAILED = _ONE.values(last_error=bindparam("error"))
_FINAL: Final = "final: "
"""Begins an error that no later attempt would mend; an attempt takes it away with the error."""


class Notifications(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that tells what was sent."""

    @retried
    def notifications(self, birth: str) -> list[Notification]:
        """All messages about a study, oldest first.

        Args:
            birth: Of the study; they are there still when it is deleted.
        """
        with self._database.read() as connection:
            return [_notification(row) for row in connection.execute(_ALL, {"birth": birth})]


class Announcing(Notifications):
    """The part of `storage.Storage` that has messages sent."""

    @retried
    def announce(self, birth: str, messages: Mapping[str, str]) -> int:
        """Write messages that are to be sent; how many of them were new.

        Args:
            messages: Key of the event -> JSON.
        """
        with self._database.write() as connection:
            insert = (
                insert_for(connection.dialect.name, notifications)
                .on_conflict_do_nothing(index_elements=["study_birth", "event_key"])
                .returning(notifications.c.id)
            )
            rows = [
                {"study_birth": birth, "event_key": key, "message": text, "created_at": now()}
                for key, text in messages.items()
            ]
            return sum(connection.execute(insert, row).first() is not None for row in rows)

    @retried
    def claim_notification(
        self, birth: str, *, anyway: bool = False, tried: Collection[int] = ()
    ) -> Notification | None:
        """The next message that is due, which from now on is the caller's to send; None if none is.

        Args:
            anyway: Also one that waits for another attempt, or has had its last; not one that
                somebody may be sending right now.
            tried: Not one of these.
        """
        with self._database.write() as connection:
            at = now()
            for row in connection.execute(_OPEN, {"birth": birth}).all():
                if row.id in tried or not _is_due(row, at, anyway):
                    continue
                if _claimed(connection, row, at):
                    return _notification(row)
        return None

    @retried
    def delivered(self, notification: int) -> None:
        """Note that the receiver has taken a message."""
        self._put_down(_DELIVERED, {"one": notification, "at": now()})

    @retried
    def undelivered(self, notification: int, error: str, *, final: bool = False) -> None:
        """Note why a message was not taken.

        Args:
            final: It would not be taken later, either, and is not sent again by itself.
        """
        text = f"{_FINAL}{error}" if final else error
        self._put_down(_FAILED, {"one": notification, "error": text})

    def _put_down(self, statement: sa.Update, values: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(statement, values)


def _is_due(row: Any, at: datetime, anyway: bool) -> bool:
    if row.attempted_at is None:
        return True
    if given_up(_notification(row)) and not anyway:
        return False
    # the first wait is longer than sending takes: it tells an attempt that failed from a death
    wait_s = WAITS_S[0] if anyway else WAITS_S[row.n_attempts - 1]
    failed = anyway and row.last_error != ""
    return bool(failed or at - row.attempted_at >= timedelta(seconds=wait_s))


def _claimed(connection: Connection, row: Any, at: datetime) -> bool:
    seen = {"one": row.id, "seen": row.n_attempts, "at": at}
    return connection.execute(_CLAIM, seen).rowcount == 1


def _notification(row: Any) -> Notification:
    return Notification(
        id=row.id,
        key=row.event_key,
        message=row.message,
        created=row.created_at,
        attempted=row.attempted_at,
        delivered=row.delivered_at,
        attempts=row.n_attempts,
        error=row.last_error.removeprefix(_FINAL),
        final=row.last_error.startswith(_FINAL),
    )
