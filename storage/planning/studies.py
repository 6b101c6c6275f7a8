"""Studies and their searches: made and extended; by which engine searches train."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase, study_record
from storage.planning.writing import (
    lock_named,
    lock_runs,
    lock_study,
    lock_study_of,
    next_change,
    now,
)
from storage.records import InitialNetwork, StudyRecord
from storage.schema.dialects import insert_ignoring
from storage.schema.tables import change_counters, revisions, runs, searches, studies
from storage.states import FINAL, RunState

_THE_STUDY = sa.select(studies).where(studies.c.id == bindparam("study"))
_ENGINES = (
    sa.select(searches.c.engine, searches.c.engine_reason, searches.c.stack_rows)
    .where(searches.c.engine.is_not(None))
    .order_by(searches.c.id)
)
_IS_DONE = (runs.c.study_id == bindparam("study"), runs.c.state == RunState.DONE)
_DONE = sa.select(runs.c.id).where(*_IS_DONE)
_STAMP_DONE = runs.update().where(*_IS_DONE).values(change=bindparam("number"))
_UNSEAL = (
    studies.update()
    .where(
        studies.c.id == bindparam("study"),
        studies.c.sealed_at.is_not(None),
        studies.c.unsealed_at.is_(None),
    )
    .values(unsealed_at=bindparam("at"))
)
_ENDED = sa.select(sa.func.count()).where(
    runs.c.study_id == bindparam("study"), runs.c.state.in_(FINAL)
)
_NAMES = sa.select(searches.c.name).where(searches.c.study_id == bindparam("study"))


class Studies(OpenedDatabase):
    """The part of `storage.Storage` that makes studies and says what they are."""

    @retried
    def save_study(
        self,
        *,
        name: str,
        spec: Mapping[str, Any],
        card: Mapping[str, Any],
        fingerprint: str,
        searches: Sequence[tuple[str, str, str]],
        plan: str = "",
        sealed: bool = False,
        check: Callable[[StudyRecord], None] = lambda _stored: None,
    ) -> StudyRecord:
        """Create a study or store its extended spec; searches are (name, role, weighting).

        Args:
            plan: Hash of all that decides what the searches do.
            sealed: Whether test values of a new study are not shown before `unseal`.
            check: Looks at the study as it is stored, if it is, in the transaction that writes;
                what it raises leaves all as it is. Drivers that save at once are looked at one
                after the other.
        """
        texts = {"spec": json.dumps(spec), "card": json.dumps(card)}
        values = {**texts, "fingerprint": fingerprint, "plan": plan}
        birth = uuid4().hex
        names = {"name": name, "first_name": name, "birth": birth, "key_name": birth}
        with self._database.write() as connection:
            connection.execute(
                insert_ignoring(connection, studies),
                {
                    "created_at": now(),
                    "sealed_at": now() if sealed else None,
                    **names,
                    **values,
                },
            )
            study_id = lock_named(connection, name)
            connection.execute(insert_ignoring(connection, change_counters), {"study_id": study_id})
            record = _record(connection, study_id)
            if record.birth != birth:
                check(record)
                before = record.spec
                connection.execute(studies.update().where(studies.c.id == study_id), values)
                record = _record(connection, study_id)
                if record.spec != before:
                    _revise(connection, study_id, before, accepted=True)
            _save_searches(connection, study_id, searches)
            next_change(connection, study_id)
            return record

    @retried
    def note_refused(self, study_id: int, spec: Mapping[str, Any]) -> None:
        """Keep that a stored study should have become what it must not become."""
        with self._database.write() as connection:
            lock_study(connection, study_id)
            _revise(connection, study_id, spec, accepted=False)

    @retried
    def unseal(self, study_id: int) -> StudyRecord:
        """Show the test values of a sealed study from now on; the first time counts.

        Raises:
            StudyChanged: The study is gone.
        """
        with self._database.write() as connection:
            lock_study(connection, study_id)
            lock_runs(connection, connection.scalars(_DONE, {"study": study_id}).all())
            changed = connection.execute(_UNSEAL, {"study": study_id, "at": now()}).rowcount
            if changed:
                number = next_change(connection, study_id)
                connection.execute(_STAMP_DONE, {"study": study_id, "number": number})
            return _record(connection, study_id)

    @retried
    def give_birth(self, study: StudyRecord) -> StudyRecord:
        """Give a study, which is a copy of another, a birth of its own.

        If somebody else has done so since `study` was read, that stands.
        """
        same = sa.and_(studies.c.id == study.id, studies.c.birth == study.birth)
        with self._database.write() as connection:
            connection.execute(studies.update().where(same).values(birth=uuid4().hex))
            return _record(connection, study.id)

    @retried
    def fix_engine(self, search_ids: Sequence[int], engine: str, reason: str) -> None:
        """Fix the engine of searches that share packs; the first driver to do so decides.

        If one of them has an engine already, the others take that, with the rows of its stacks.

        Raises:
            StudyChanged: Their study is gone.
        """
        them = searches.c.id.in_(search_ids)
        unset = (them, searches.c.engine.is_(None))
        with self._database.write() as connection:
            lock_study_of(connection, search_ids[0])
            fixed = connection.execute(_ENGINES.where(them).limit(1)).first()
            values = {"engine": engine, "engine_reason": reason}
            if fixed is not None:
                values = fixed._asdict()
            connection.execute(searches.update().where(*unset).values(values))

    @retried
    def fix_initial(self, search_id: int, network: InitialNetwork) -> InitialNetwork:
        """Fix what the runs of a search begin from; the first driver to do so decides.

        Returns:
            What was fixed.
        """
        here = searches.c.id == search_id
        unset = (here, searches.c.initial.is_(None))
        with self._database.write() as connection:
            connection.execute(searches.update().where(*unset).values(initial=network.to_text()))
            stored = connection.scalar(sa.select(searches.c.initial).where(here))
        return InitialNetwork.of_text(stored) or network

    @retried
    def fix_rows(self, search_ids: Sequence[int], rows: int) -> None:
        """Fix the number of rows of all their stacks; the first driver to do so decides."""
        unset = (searches.c.id.in_(search_ids), searches.c.stack_rows.is_(None))
        with self._database.write() as connection:
            connection.execute(searches.update().where(*unset).values(stack_rows=rows))

    @retried
    def lower_rows(self, search_ids: Sequence[int], rows: int) -> None:
        """Let the stacks of searches have fewer rows from now on."""
        more = (searches.c.id.in_(search_ids), searches.c.stack_rows > rows)
        with self._database.write() as connection:
            connection.execute(searches.update().where(*more).values(stack_rows=rows))


def _record(connection: Connection, study_id: int) -> StudyRecord:
    return study_record(connection.execute(_THE_STUDY, {"study": study_id}).one())


def _revise(
    connection: Connection, study_id: int, spec: Mapping[str, Any], *, accepted: bool
) -> None:
    values = {
        "study_id": study_id,
        "made_at": now(),
        "accepted": accepted,
        "spec": json.dumps(spec),
        "runs_ended": connection.scalar(_ENDED, {"study": study_id}),
    }
    connection.execute(revisions.insert(), values)


def _save_searches(
    connection: Connection, study_id: int, wanted: Sequence[tuple[str, str, str]]
) -> None:
    known = set(connection.scalars(_NAMES, {"study": study_id}))
    for position, (name, role, weighting) in enumerate(wanted):
        if name in known:
            here = (searches.c.study_id == study_id, searches.c.name == name)
            connection.execute(searches.update().where(*here).values(position=position))
        else:
            values = {"name": name, "role": role, "weighting": weighting, "position": position}
            connection.execute(searches.insert(), {"study_id": study_id, **values})
