"""Steering: a study is paused, goes on, is stopped, or gets more budget, while drivers train it.

A command is one transaction, which writes its entry of the audit. Drivers follow by one row that
they look at every few seconds; claims look at it, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.audit import Audited
from storage.planning.opened import study_record
from storage.planning.raises import raised_by, section
from storage.planning.studies import record_of, revise
from storage.planning.writing import gone, lock_study, next_change, now
from storage.records import Orders, StudyRecord
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import studies

_HERE = studies.c.id == bindparam("study")
_ORDERS = PreparedStatement(
    sa.select(studies.c.orders, studies.c.stops, studies.c.paused_at).where(_HERE)
)
_STORED = sa.select(studies).where(_HERE)
_SPEC = sa.select(studies.c.spec).where(_HERE)
_ORDER = studies.update().where(_HERE)


class Steering(Audited):
    """The part of `storage.Storage` that gives orders to the drivers of a study, and reads them."""

    @retried
    def orders(self, study_id: int) -> Orders:
        """What drivers of a study have to follow by now.

        Raises:
            StudyChanged: The study is gone.
        """
        with self._database.read() as connection:
            found = _ORDERS.rows(connection, {"study": study_id})
        if not found:
            raise gone()
        (row,) = found
        return Orders(number=row.orders, stops=row.stops, paused=row.paused_at is not None)

    @retried
    def stored(self, study_id: int) -> StudyRecord:
        """A study by its number, whatever its name is by now.

        Raises:
            StudyChanged: The study is gone.
        """
        with self._database.read() as connection:
            row = connection.execute(_STORED, {"study": study_id}).first()
        if row is None:
            raise gone()
        return study_record(row)

    @retried
    def pause(self, study_id: int) -> bool:
        """Hand out no run of a study until `resume`; whether it was not paused before.

        Drivers under way have their workers save what they train at the epoch's end, and wait.

        Raises:
            StudyChanged: The study is gone.
        """
        return self._set_paused(study_id, paused=True)

    @retried
    def resume(self, study_id: int) -> bool:
        """Hand out runs of a paused study again; whether it was paused.

        Raises:
            StudyChanged: The study is gone.
        """
        return self._set_paused(study_id, paused=False)

    @retried
    def stop(self, study_id: int) -> None:
        """End all drivers that work on a study now, as Ctrl-C does, wherever they run.

        Raises:
            StudyChanged: The study is gone.
        """
        with self._database.write() as connection:
            lock_study(connection, study_id)
            study = record_of(connection, study_id)
            _order(connection, study, stops=study.stops + 1)
            before, after = ({"stops": study.stops + more} for more in (0, 1))
            self._note(connection, study, "stop", before=before, after=after)

    @retried
    def raise_budget(
        self, study_id: int, limits: Mapping[str, Any], *, search: str | None = None
    ) -> StudyRecord:
        """Raise limits of a study, or of a search with those of its section of the spec.

        Drivers under way follow. The next spec that limits the study to less is stored with what
        was raised.

        Args:
            limits: As in [budget] of the spec: ``trials``, ``epochs``, ``device_s``, ``money``, and
                of a study ``wall_s``.

        Raises:
            BudgetRefused: One is unknown, no such number, not limited at all, or not higher.
            StudyChanged: The study is gone.
        """
        with self._database.write() as connection:
            lock_study(connection, study_id)
            study = record_of(connection, study_id)
            written = json.loads(connection.execute(_SPEC, {"study": study_id}).scalar_one())
            spec, raised = raised_by(written, study.raised, limits, search)
            revise(connection, study_id, study.spec, accepted=True)
            _order(connection, study, spec=json.dumps(spec), raised=json.dumps(raised))
            new = record_of(connection, study_id)
            before, after = (_limits(of, limits, search) for of in (study, new))
            self._note(connection, study, "raise budget", before=before, after=after)
            return new

    def _set_paused(self, study_id: int, *, paused: bool) -> bool:
        with self._database.write() as connection:
            lock_study(connection, study_id)
            study = record_of(connection, study_id)
            if study.paused == paused:
                return False
            _order(connection, study, paused_at=now() if paused else None)
            verb = "pause" if paused else "resume"
            self._note(
                connection, study, verb, before={"paused": not paused}, after={"paused": paused}
            )
            return True


def _order(connection: Connection, study: StudyRecord, **values: object) -> None:
    """Change a study so that its drivers, and who follows it, notice."""
    connection.execute(_ORDER.values(orders=study.orders + 1, **values), {"study": study.id})
    next_change(connection, study.id)


def _limits(study: StudyRecord, asked: Mapping[str, Any], search: str | None) -> dict[str, Any]:
    """The limits that were asked for, as they are; and of which search."""
    owner = study.spec if search is None else section(study.spec, search)[0]
    of = {} if search is None else {"search": search}
    return {**of, "budget": {kind: (owner.get("budget") or {}).get(kind) for kind in asked}}
