"""What SQLite and PostgreSQL spell differently."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DataError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_POSTGRES_NOW_S = sa.text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)")
_NUMBER = sa.text("SELECT CAST(pg_current_xact_id_if_assigned() AS text)")
_STATUS = sa.text("SELECT pg_xact_status(CAST(:number AS xid8))")
_IN_THE_FUTURE = "22023"  # "transaction ID ... is in the future"
_SERVER = sa.text("SELECT CAST(system_identifier AS text) FROM pg_control_system()")
_DATABASE = sa.text("SELECT CAST(oid AS text) FROM pg_database WHERE datname = current_database()")
_SCHEMA_LOCK = 0x7765_6967_6862  # "weighb", one number for all who make or migrate a schema


def insert_for(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that knows ON CONFLICT."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as into_postgresql

        return into_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as into_sqlite

    return into_sqlite(table)


def insert_ignoring(connection: Connection, table: sa.Table) -> sa.Insert:
    """An insert that leaves a row alone which somebody else was faster to add."""
    return insert_for(connection.dialect.name, table).on_conflict_do_nothing()


def put(connection: Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Insert a whole row, in the place of an older one with its key.

    One statement: with a deletion before it, two drivers could both insert.
    """
    connection.execute(_putting(connection.dialect.name, table, tuple(row)), row)


@cache
def _putting(dialect: str, table: sa.Table, names: tuple[str, ...]) -> sa.Insert:
    insert = insert_for(dialect, table)
    keys = table.primary_key.columns.keys()
    news = {name: insert.excluded[name] for name in names if name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=news)


def lock_schema(connection: Connection) -> None:
    """Let one process at a time make or migrate the schema, until the transaction ends.

    SQLite's writing transactions have the database to themselves already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


def now_s(connection: Connection) -> float:
    """Seconds since the epoch by the database's clock, the one that all drivers share."""
    if connection.dialect.name == "sqlite":
        return time.time()  # SQLite runs in this process
    return float(connection.execute(_POSTGRES_NOW_S).scalar_one())


def transaction_number(connection: Connection) -> str | None:
    """A number under which the outcome of this transaction can be asked for.

    None if nothing was written, and on SQLite, whose commits are answered by our own process.
    """
    if connection.dialect.name == "sqlite":
        return None
    number: str | None = connection.scalar(_NUMBER)
    return number


def is_committed(connection: Connection, number: str) -> bool | None:
    """Whether that transaction was committed; None while it is being ended."""
    try:
        status = connection.scalar(_STATUS, {"number": number})
    except DataError as error:
        if getattr(error.orig, "sqlstate", None) != _IN_THE_FUTURE:
            raise
        return False  # the server ended before any of it was on disk; it gives the number again
    return None if status == "in progress" else status == "committed"


def server_place(connection: Connection) -> dict[str, str]:
    """Which server of PostgreSQL this is, by whatever name it is reached, and which database."""
    return {
        "place": f"postgresql {connection.scalar(_SERVER)}",
        "number": str(connection.scalar(_DATABASE)),
    }
