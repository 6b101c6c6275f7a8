"""Points in time keep their zone on SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from storage.schema.prepared import PreparedStatement
from storage.schema.types import UtcTime

_NOON = datetime(2026, 7, 1, 12, 0, 0, 250, tzinfo=UTC)
_table = sa.Table("moments", sa.MetaData(), sa.Column("at", UtcTime, nullable=True))


def _round_trip(value: datetime | None) -> datetime | None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        _table.create(connection)
        connection.execute(_table.insert(), {"at": value})
        found = connection.scalar(sa.select(_table.c.at))
    engine.dispose()
    return found


def test_a_moment_comes_back_to_the_microsecond() -> None:
    assert _round_trip(_NOON) == _NOON


def test_another_zone_comes_back_as_the_same_moment_in_utc() -> None:
    found = _round_trip(_NOON.astimezone(timezone(timedelta(hours=9))))
    assert found == _NOON
    assert found.tzinfo is UTC


def test_no_moment_comes_back_as_none() -> None:
    assert _round_trip(None) is None


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(sa.exc.StatementError, match="Times must carry their zone"):
        _round_trip(datetime(2026, 7, 1))


def test_texts_of_moments_sort_as_the_moments_do() -> None:
    dialect = sa.create_engine("sqlite://").dialect
    moments = [_NOON, _NOON.replace(microsecond=0), _NOON + timedelta(days=200)]
    texts = [UtcTime().process_bind_param(moment, dialect) for moment in moments]
    assert sorted(texts) == [texts[1], texts[0], texts[2]]


def test_hot_statements_write_moments_in_the_same_form() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        _table.create(connection)
        values = {"moment": _NOON}
        PreparedStatement(_table.insert().values(at=sa.bindparam("moment"))).run(connection, values)
        connection.execute(_table.insert(), {"at": _NOON})
        hot, other = connection.scalars(sa.text("SELECT at FROM moments"))
    engine.dispose()
    assert hot == other
