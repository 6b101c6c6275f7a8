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
from storage.planning.writing import lock_named, lock_study_of, next_change, now
from storage.records import InitialNetwork, StudyRecord
from storage.schema.dialects import insert_ignoring
from storage.schema.tables import change_counters, searches, studies

_THE_STUDY = sa.select(studies).where(studies.c.id == bindparam("study"))
_ENGINES = (
    sa.select(searches.c.engine, searches.c.engine_reason, searches.c.stack_rows)
    .where(searches.c.engine.is_not(None))
    .order_by(searches.c.id)
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
        check: Callable[[StudyRecord], None] = lambda _stored: None,
    ) -> StudyRecord:
        """Create a study or store its extended spec; searches are (name, role, weighting).

        Args:
            plan: Hash of all that decides what the searches do.
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
                insert_ignoring(connection, studies), {"created_at": now(), **names, **values}
            )
            study_id = lock_named(connection, name)
            connection.execute(insert_ignoring(connection, change_counters), {"study_id": study_id})
            record = _record(connection, study_id)
            if record.birth != birth:
                check(record)
                connection.execute(studies.update().where(studies.c.id == study_id), values)
                record = _record(connection, study_id)
            _save_searches(connection, study_id, searches)
            next_change(connection, study_id)
            return record

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
