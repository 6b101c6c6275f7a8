"""Many rows of one table written at once.

SQLite takes a statement a row, at microseconds each. PostgreSQL takes one statement with an array
a column: its client and its planner would otherwise be busy with every row. Columns are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from storage.schema.dialects import insert_for
from storage.schema.prepared import PreparedStatement

Row = Mapping[str, Any]


class Upsert:
    """Inserts whole rows of a table; a row that is there already is written anew."""

    def __init__(self, table: sa.Table) -> None:
        self._table = table
        self._keys = [column.name for column in table.primary_key]
        self._statements: dict[str, PreparedStatement] = {}

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write rows, the later one of two with the same key."""
        if not rows:
            return
        name = connection.dialect.name
        if name not in self._statements:
            self._statements[name] = PreparedStatement(self._statement(name))
        if name == "sqlite":
            self._statements[name].run_many(connection, rows)
            return
        last = {tuple(row[key] for key in self._keys): row for row in rows}
        arrays = _arrays(self._table.columns.keys(), list(last.values()))
        self._statements[name].run(connection, arrays)

    def _statement(self, dialect: str) -> Any:
        names = self._table.columns.keys()
        insert = insert_for(dialect, self._table)
        news = {name: insert.excluded[name] for name in names if name not in self._keys}
        if dialect != "sqlite":
            insert = insert.from_select(names, sa.select(_given(self._table, names)))
        return insert.on_conflict_do_update(index_elements=self._keys, set_=news)


class Update:
    """Sets some columns of rows that are known by their primary key."""

    def __init__(self, table: sa.Table, columns: Sequence[str]) -> None:
        (self._key,) = (column.name for column in table.primary_key)
        self._names = [self._key, *columns]
        self._news = [(name, f"new_{name}") for name in self._names]
        one: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
        self._one = PreparedStatement(
            table.update().where(table.c.id == bindparam("new_id")).values(one)
        )
        given = _given(table, self._names)
        many = {name: given.c[name] for name in columns}
        self._many = PreparedStatement(table.update().where(table.c.id == given.c.id).values(many))

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write rows of the key and these columns; keys differ."""
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            named = [{new: row[name] for name, new in self._news} for row in rows]
            self._one.run_many(connection, named)
        else:
            self._many.run(connection, _arrays(self._names, rows))


def _given(table: sa.Table, names: Sequence[str]) -> Any:
    """The rows that arrive as arrays, as a table."""
    arrays = [
        sa.cast(bindparam(f"all_{name}", type_=sa.Text), ARRAY(table.c[name].type))
        for name in names
    ]
    return sa.func.unnest(*arrays).table_valued(*names, name="given").render_derived()


def _arrays(names: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    """Array literals: the client takes several times as long to adapt lists of numbers."""
    return {f"all_{name}": _literal([row[name] for row in rows]) for name in names}


def _literal(numbers: Sequence[float | None]) -> str:
    return "{" + ",".join(["NULL" if number is None else str(number) for number in numbers]) + "}"
