"""Studies and their searches: made, found, extended, and locked while others wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.errors import StudyChanged, UnknownStudy
from storage.records import SearchRecord, StudyRecord
from storage.schema.dialects import insert_ignoring
from storage.schema.tables import searches, studies, trials

_STUDY = sa.select(studies).where(studies.c.name == bindparam("name"))
_STUDIES = sa.select(studies).order_by(studies.c.id)
_SEARCHES = (
    sa.select(searches)
    .where(searches.c.study_id == bindparam("study"))
    .order_by(searches.c.position)
)
# without keeping others from adding rows that refer to it
_LOCKED = sa.select(studies.c.id, studies.c.name, studies.c.plan).with_for_update(
    key_share=True, of=studies
)
_LOCK_STUDY = _LOCKED.where(studies.c.id == bindparam("study"))
_LOCK_STUDY_OF = _LOCKED.join(searches, searches.c.study_id == studies.c.id).where(
    searches.c.id == bindparam("search")
)
_LOCK_NAME = _LOCKED.where(studies.c.name == bindparam("name"))
_N_TRIALS = (
    sa.select(sa.func.count())
    .select_from(trials.join(searches, searches.c.id == trials.c.search_id))
    .where(searches.c.study_id == bindparam("study"), searches.c.role != "baseline")
)
# trials of schema version 1 have their canonical text alone
WRITTEN = sa.func.coalesce(trials.c.written, trials.c.params).label("written")
"""A trial's point as readers and programs get it."""


def now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


def lasting(seconds: float) -> dict[str, datetime]:
    """Begin and end of an attempt that ends now and took that long."""
    ended = now()
    return {"started_at": ended - timedelta(seconds=seconds), "ended_at": ended}


def add(connection: Connection, insert: sa.Insert, values: Mapping[str, Any]) -> int:
    """Insert one row and return its id."""
    (new_id,) = connection.execute(insert, values).inserted_primary_key or (0,)
    return int(new_id)


def find(connection: Connection, name: str) -> StudyRecord | None:
    """The study of that name, or None."""
    row = connection.execute(_STUDY, {"name": name}).first()
    return None if row is None else _record(row)


def get(connection: Connection, name: str) -> StudyRecord:
    """The study of that name.

    Raises:
        UnknownStudy: With the names that exist.
    """
    record = find(connection, name)
    if record is None:
        known = [record.name for record in list_all(connection)]
        raise UnknownStudy(
            f"There is no study {name!r} in this database. It holds: "
            f"{', '.join(known) or 'none yet'}."
        )
    return record


def list_all(connection: Connection) -> list[StudyRecord]:
    """All studies, oldest first."""
    return [_record(row) for row in connection.execute(_STUDIES)]


def save(
    connection: Connection,
    *,
    name: str,
    spec: Mapping[str, Any],
    card: Mapping[str, Any],
    fingerprint: str,
    plan: str,
    wanted: Sequence[tuple[str, str, str]],
    check: Callable[[StudyRecord], None],
) -> StudyRecord:
    """Create the study, or store its extended spec; `wanted` has (search, role, weighting).

    Args:
        check: Looks at the study as it is stored, if it is, and raises to leave it so. Drivers that
            save at once are looked at one after the other.
    """
    texts = {"spec": json.dumps(spec), "card": json.dumps(card)}
    values = {**texts, "fingerprint": fingerprint, "plan": plan}
    birth = uuid4().hex
    names = {"name": name, "first_name": name, "birth": birth, "key_name": birth}
    connection.execute(
        insert_ignoring(connection, studies), {"created_at": now(), **names, **values}
    )
    connection.execute(_LOCK_NAME, {"name": name})
    record = get(connection, name)
    if record.birth != birth:
        check(record)
        connection.execute(studies.update().where(studies.c.name == name), values)
        record = get(connection, name)
    known = {search.name for search in list_searches(connection, record.id)}
    for position, (search, role, weighting) in enumerate(wanted):
        if search in known:
            connection.execute(
                searches.update()
                .where(searches.c.study_id == record.id, searches.c.name == search)
                .values(position=position)
            )
        else:
            connection.execute(
                searches.insert(),
                {
                    "study_id": record.id,
                    "name": search,
                    "role": role,
                    "weighting": weighting,
                    "position": position,
                },
            )
    return record


def fix_engine(connection: Connection, search_ids: Sequence[int], engine: str, reason: str) -> None:
    """Fix the engine of searches that share packs; what one of them has, the others take."""
    lock_study_of(connection, search_ids[0])
    them = searches.c.id.in_(search_ids)
    fixed = connection.execute(
        sa.select(searches.c.engine, searches.c.engine_reason, searches.c.stack_rows)
        .where(them, searches.c.engine.is_not(None))
        .order_by(searches.c.id)
        .limit(1)
    ).first()
    values = {"engine": engine, "engine_reason": reason} if fixed is None else fixed._asdict()
    connection.execute(searches.update().where(them, searches.c.engine.is_(None)).values(values))


def fix_rows(connection: Connection, search_ids: Sequence[int], rows: int) -> None:
    """Fix the number of rows of all stacks of these searches, unless that was done before."""
    unset = (searches.c.id.in_(search_ids), searches.c.stack_rows.is_(None))
    connection.execute(searches.update().where(*unset).values(stack_rows=rows))


def lower_rows(connection: Connection, search_ids: Sequence[int], rows: int) -> None:
    """Let stacks have fewer rows from now on, unless they have that few already."""
    more = (searches.c.id.in_(search_ids), searches.c.stack_rows > rows)
    connection.execute(searches.update().where(*more).values(stack_rows=rows))


def lock_study(connection: Connection, study_id: int, plan: str | None = None) -> None:
    """Let one writer at a time change what stands in a study, until the transaction ends.

    Args:
        plan: By which the change was planned; None for changes that no plan decides.

    Raises:
        StudyChanged: The study is gone, or has another plan by now.
    """
    _checked(connection.execute(_LOCK_STUDY, {"study": study_id}).first(), plan)


def lock_study_of(connection: Connection, search_id: int, plan: str | None = None) -> int:
    """The same for the study of a search, which is returned."""
    return _checked(connection.execute(_LOCK_STUDY_OF, {"search": search_id}).first(), plan)


def _checked(row: Any, plan: str | None) -> int:
    done, way_out = None, "What was trained is kept. Run the command again."
    if row is None:
        done, way_out = "The study was deleted", "Run the command again to begin it anew."
    elif plan is not None and row.plan != plan:
        done = f"The study {row.name!r} was extended"
    if done is not None:
        raise StudyChanged(f"{done} by another command while this one worked on it. {way_out}")
    return int(row.id)


def count_trials(connection: Connection, study_id: int) -> int:
    """Trials of a study's searches, single-task ones left out."""
    return connection.scalar(_N_TRIALS, {"study": study_id}) or 0


def list_searches(connection: Connection, study_id: int) -> list[SearchRecord]:
    """The study's searches, in the order of the spec."""
    return [
        SearchRecord(
            id=row.id,
            name=row.name,
            role=row.role,
            weighting=row.weighting,
            position=row.position,
            engine=row.engine,
            engine_reason=row.engine_reason,
            stack_rows=row.stack_rows,
        )
        for row in connection.execute(_SEARCHES, {"study": study_id})
    ]


def give_birth(connection: Connection, study: StudyRecord) -> StudyRecord:
    """A new birth, unless it has another one already."""
    same = sa.and_(studies.c.id == study.id, studies.c.birth == study.birth)
    connection.execute(studies.update().where(same).values(birth=uuid4().hex))
    return _record(connection.execute(_STUDIES.where(studies.c.id == study.id)).one())


def _record(row: Any) -> StudyRecord:
    return StudyRecord(
        id=row.id,
        name=row.name,
        spec=json.loads(row.spec),
        card=json.loads(row.card),
        fingerprint=row.fingerprint,
        created_at=row.created_at,
        birth=row.birth,
        key_name=row.key_name,
        first_name=row.first_name,
        plan=row.plan,
    )
