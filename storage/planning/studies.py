"""Studies and their searches: made and extended; by which engine searches train."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.audit import Audited
from storage.planning.opened import study_record
from storage.planning.raises import kept
from storage.planning.writing import (
    lock_named,
    lock_runs,
    lock_study,
    lock_study_of,
    next_change,
    now,
)
from storage.records import ParentNetworks, StudyRecord
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


class Studies(Audited):
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
        lowered: Collection[str] = (),
        check: Callable[[StudyRecord], None] = lambda _stored: None,
    ) -> StudyRecord:
        """Create a study or store its extended spec; searches are (name, role, weighting).

        Args:
            plan: Hash of all that decides what the searches do.
            sealed: Whether test values of a new study are not shown before `unseal`.
            lowered: Limits of [budget] that hold as they are, whatever commands have raised them to
                before; others stay raised, see `StudyRecord.spec`.
            check: Looks at the study as it is stored, if it is, in the transaction that writes;
                what it raises leaves all as it is. Drivers that save at once are looked at one
                after the other.
        """
        values = {
            "spec": json.dumps(spec),
            "card": json.dumps(card),
            "fingerprint": fingerprint,
            "plan": plan,
        }
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
            record = record_of(connection, study_id)
            if record.birth != birth:
                check(record)
                values |= _with_raises(record, spec, lowered)
                record = self._extend(connection, record, values)
            _save_searches(connection, study_id, searches)
            next_change(connection, study_id)
            return record

    def _extend(
        self, connection: Connection, before: StudyRecord, values: Mapping[str, Any]
    ) -> StudyRecord:
        """Store another spec; drivers under way follow its budgets."""
        connection.execute(studies.update().where(studies.c.id == before.id), values)
        after = record_of(connection, before.id)
        if after.spec == before.spec:
            return after
        revise(connection, before.id, before.spec, accepted=True)
        was, is_now = _apart(before.spec, after.spec), _apart(after.spec, before.spec)
        verb = "set budget" if {*was, *is_now} == {"budget"} else "extend"
        self._note(connection, before, verb, before=was, after=is_now)
        order = studies.update().where(studies.c.id == before.id).values(orders=before.orders + 1)
        connection.execute(order)
        return record_of(connection, before.id)

    @retried
    def note_refused(self, study_id: int, spec: Mapping[str, Any]) -> None:
        """Keep that a stored study should have become what it must not become."""
        with self._database.write() as connection:
            lock_study(connection, study_id)
            revise(connection, study_id, spec, accepted=False)

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
            record = record_of(connection, study_id)
            if changed:
                self._note(
                    connection, record, "unseal", before={"sealed": True}, after={"sealed": False}
                )
                number = next_change(connection, study_id)
                connection.execute(_STAMP_DONE, {"study": study_id, "number": number})
            return record

    @retried
    def give_birth(self, study: StudyRecord) -> StudyRecord:
        """Give a study, which is a copy of another, a birth of its own.

        If somebody else has done so since `study` was read, that stands.
        """
        same = sa.and_(studies.c.id == study.id, studies.c.birth == study.birth)
        with self._database.write() as connection:
            connection.execute(studies.update().where(same).values(birth=uuid4().hex))
            return record_of(connection, study.id)

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
    def fix_initial(
        self, search_id: int, networks: ParentNetworks, *, instead: ParentNetworks | None = None
    ) -> ParentNetworks:
        """Fix what the runs of a search begin from; the first driver to do so decides.

        Args:
            instead: What was fixed before, for fewer seeds; None for nothing.

        Returns:
            What was fixed.
        """
        here = searches.c.id == search_id
        before = (
            searches.c.initial == instead.to_text() if instead else searches.c.initial.is_(None)
        )
        with self._database.write() as connection:
            change = searches.update().where(here, before)
            connection.execute(change.values(initial=networks.to_text()))
            stored = connection.scalar(sa.select(searches.c.initial).where(here))
        return ParentNetworks.of_text(stored) or networks

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


def record_of(connection: Connection, study_id: int) -> StudyRecord:
    """A study by its number."""
    return study_record(connection.execute(_THE_STUDY, {"study": study_id}).one())


def revise(
    connection: Connection, study_id: int, spec: Mapping[str, Any], *, accepted: bool
) -> None:
    """Keep what a study's spec was before, or what it should have become and must not."""
    values = {
        "study_id": study_id,
        "made_at": now(),
        "accepted": accepted,
        "spec": json.dumps(spec),
        "runs_ended": connection.scalar(_ENDED, {"study": study_id}),
    }
    connection.execute(revisions.insert(), values)


def _with_raises(
    stored: StudyRecord, spec: Mapping[str, Any], lowered: Collection[str]
) -> dict[str, str]:
    """What to store of a new spec where commands have raised budgets of the old one."""
    raised_spec, raised = kept(spec, stored.raised, lowered)
    return {"spec": json.dumps(raised_spec), "raised": json.dumps(raised) if raised else ""}


def _apart(spec: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The sections of a spec that another one has not, or not so; addresses of others' are kept."""
    found = {key: value for key, value in spec.items() if value != other.get(key)}
    for key, value in found.items():
        if isinstance(value, Mapping) and isinstance(was := other.get(key), Mapping):
            found[key] = {name: one for name, one in value.items() if one != was.get(name)}
    return found | ({"notify": "not kept here"} if found.get("notify") else {})


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
