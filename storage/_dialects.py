"""What SQLite and PostgreSQL spell differently."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

_SCHEMA_LOCK = 0x7765_6967_6862  # "weighb", one number for all who make or migrate a schema


def insert_for(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that knows ON CONFLICT."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_ignoring(connection: Connection, table: sa.Table) -> sa.Insert:
    """An insert that leaves a row alone which somebody else was faster to add."""
    return insert_for(connection.dialect.name, table).on_conflict_do_nothing()


def lock_schema(connection: Connection) -> None:
    """Let one process at a time make or migrate the schema, until the transaction ends.

    SQLite's writing transactions have the database to themselves already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
