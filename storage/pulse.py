"""The pulse of a study: whether somebody is at work on it, and what came last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase, study_record
from storage.records import Glance, Pulse
from storage.schema.dialects import now_s
from storage.schema.tables import attempts, change_counters, runs, studies
from storage.states import RunState

_LATEST = 50  # attempts among which the last thing that happened is looked for
_OF_STUDY = attempts.c.study_id == bindparam("study")
_LAST = (
    sa.select(attempts.c.started_at, attempts.c.ended_at, attempts.c.epochs)
    .where(_OF_STUDY)
    .order_by(attempts.c.id.desc())
    .limit(_LATEST)
)
_LATEST_OF = _LAST.subquery()
_LAST_EVENT = sa.select(
    sa.func.max(_LATEST_OF.c.started_at).label("started_at"),
    sa.func.max(_LATEST_OF.c.ended_at).label("ended_at"),
)
_CHANGE = sa.select(change_counters.c.value).where(change_counters.c.study_id == bindparam("study"))
_HELD = sa.select(runs.c.lease_until_s).where(
    runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED
)
_GLANCE = (
    sa.select(
        studies,
        change_counters.c.value.label("change"),
        sa.select(sa.func.max(runs.c.lease_until_s))
        .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
        .scalar_subquery()
        .label("last_lease_s"),
    )
    .join(change_counters, change_counters.c.study_id == studies.c.id)
    .where(studies.c.id == bindparam("study"))
)
_TRAINED = (
    sa.select(attempts.c.id)
    .where(_OF_STUDY, attempts.c.run_id.is_not(None))
    .order_by(attempts.c.id.desc())
    .limit(1)
)
_FAILED_FIRST = (
    sa.select(runs.c.id, runs.c.token)
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.FAILED)
    .order_by(runs.c.ended_at, runs.c.id)
    .limit(1)
)


class Beating(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that tells signs of life."""

    @retried
    def last_event(self, study_id: int) -> datetime | None:
        """When one of the latest attempts last began or ended; None before the first."""
        with self._database.read() as connection:
            return _last(connection.execute(_LAST_EVENT, {"study": study_id}).all())

    @retried
    def glance(self, study_id: int) -> Glance | None:
        """The study of that id, and what tells whether anything of it is new; or None."""
        with self._database.read() as connection:
            row = connection.execute(_GLANCE, {"study": study_id}).first()
            if row is None:
                return None
            until_s = row.last_lease_s
            held = until_s is not None and until_s > now_s(connection)
            last = _last(connection.execute(_LAST_EVENT, {"study": study_id}).all())
            return Glance(record=study_record(row), change=row.change, held=held, last=last)

    @retried
    def pulse(self, study_id: int) -> Pulse:
        """Whether somebody is at work on a study, and when anything last happened."""
        here = {"study": study_id}
        with self._database.read() as connection:
            time_s = now_s(connection)
            until_s = connection.scalars(_HELD, here).all()
            found = connection.execute(_LAST, here).all()
            failed = connection.execute(_FAILED_FIRST, here).first()
            return Pulse(
                change=connection.execute(_CHANGE, here).scalar_one_or_none() or 0,
                held=len(until_s),
                alive=sum(until is not None and until > time_s for until in until_s),
                last=_last(found),
                trained=connection.execute(_TRAINED, here).scalar_one_or_none() or 0,
                failed="" if failed is None else f"{failed.id}.{failed.token}",
                epoch_s=max(
                    (
                        (row.ended_at - row.started_at).total_seconds() / row.epochs
                        for row in found
                        if row.ended_at and row.epochs
                    ),
                    default=None,
                ),
            )


def _last(latest: Sequence[Any]) -> datetime | None:
    moments = (moment for row in latest for moment in (row.started_at, row.ended_at))
    return max((moment for moment in moments if moment), default=None)
