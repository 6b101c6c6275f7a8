"""A new database's tables, indexes and views, as text that is compiled once a process."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from storage.schema.tables import metadata
from storage.schema.views import VIEWS

_compiled: dict[Any, tuple[str, ...]] = {}


def create_all(connection: Connection) -> None:
    """Create everything in a database in which nothing is yet."""
    for statement in _statements(connection.dialect):
        connection.exec_driver_sql(statement)


def _statements(dialect: Dialect) -> tuple[str, ...]:
    kind = dialect.name, dialect.server_version_info
    if kind not in _compiled:
        parts: list[ExecutableDDLElement] = []
        for table in metadata.sorted_tables:
            parts += [CreateTable(table), *map(CreateIndex, table.indexes)]
        tables = (str(part.compile(dialect=dialect)) for part in parts)
        views = (f"CREATE VIEW {name} AS {query}" for name, query in VIEWS.items())
        _compiled[kind] = (*tables, *views)
    return _compiled[kind]
