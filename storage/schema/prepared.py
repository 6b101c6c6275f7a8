"""Statements that run all the time, compiled once.

On SQLite a statement takes 5 to 30 microseconds and SQLAlchemy's way to the driver several times
as long, so hot statements go straight to the driver's cursor there. On PostgreSQL the round trip
outweighs it all, and SQLAlchemy runs them.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """SQL text and how its places are filled: by name, with what converts the value.

    Attributes:
        plain: Fills them at once, if nothing is to be converted.
    """

    text: str
    places: Sequence[tuple[str, Callable[[Any], Any] | None]]
    constants: Mapping[str, Any]
    plain: Callable[[Mapping[str, Any]], Sequence[Any]] | None

    def fill(self, values: Mapping[str, Any]) -> Sequence[Any]:
        if self.plain is not None:
            return self.plain(values)
        known = {**self.constants, **values}
        return [known[name] if to is None else to(known[name]) for name, to in self.places]


class PreparedStatement:
    """A statement with bind parameters; expanding ones are given as lists.

    Raises:
        DBAPIError: From every method, as SQLAlchemy raises it.
    """

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        # by the names of the values and the lengths of the lists among them
        self._prepared: dict[tuple[object, ...], _Prepared] = {}
        self._row: Callable[[Sequence[Any]], Any] | None = None

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """All rows, with their columns as attributes."""
        if connection.dialect.name != "sqlite":
            return list(connection.execute(self.statement, values))
        cursor = self._execute(connection, values)
        if self._row is None:
            names = [column[0] for column in cursor.description]
            row_type: Any = namedtuple("Row", names)  # type: ignore[misc]
            self._row = row_type._make
        try:
            return [self._row(row) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            raise _wrapped(error) from error

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run it once; returns how many rows it changed."""
        if connection.dialect.name != "sqlite":
            return int(connection.execute(self.statement, values).rowcount)
        return self._execute(connection, values).rowcount

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each row; rows have the same names."""
        if not rows:
            return
        if connection.dialect.name != "sqlite":
            connection.execute(self.statement, rows)
            return
        prepared = self._prepare(connection, rows[0], ())
        try:
            _cursor(connection).executemany(prepared.text, [prepared.fill(row) for row in rows])
        except sqlite3.Error as error:
            raise _wrapped(error) from error

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> sqlite3.Cursor:
        lists = [name for name, value in values.items() if isinstance(value, list)]
        if lists:
            values = {**values, **{name: _padded(values[name]) for name in lists}}
        prepared = self._prepare(connection, values, lists)
        return execute(connection, prepared.text, prepared.fill(_flat(values, lists)))

    def _prepare(
        self, connection: Connection, values: Mapping[str, Any], lists: Sequence[str]
    ) -> _Prepared:
        key = (*values, *(len(values[name]) for name in lists))
        if key not in self._prepared:
            self._prepared[key] = _prepare(self.statement, connection.dialect, values)
        return self._prepared[key]


def execute(connection: Connection, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
    """Run SQL on a SQLite connection's own cursor.

    Raises:
        DBAPIError: As SQLAlchemy raises it.
    """
    try:
        cursor: sqlite3.Cursor = _cursor(connection).execute(text, values)
        return cursor
    except sqlite3.Error as error:
        raise _wrapped(error) from error


def _wrapped(error: sqlite3.Error) -> Exception:
    """The error that SQLAlchemy would have raised."""
    return DBAPIError.instance(None, None, error, sqlite3.Error)


def _cursor(connection: Connection) -> Any:
    dbapi: Any = connection.connection.dbapi_connection  # by way of the pool it takes longer
    return dbapi.cursor()


def _prepare(statement: Any, dialect: sa.Dialect, values: Mapping[str, Any]) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=list(values))
    state = compiled.construct_expanded_state(values)
    own = {name: bind.type.bind_processor(dialect) for name, bind in compiled.binds.items()}
    converts = {**own, **state.processors}  # of the lists' members, these are
    places = [(name, converts.get(name)) for name in state.positiontup]
    constants = {
        name: bind.value.value if isinstance(bind.value, Enum) else bind.value
        for name, bind in compiled.binds.items()
        if not bind.required
    }
    is_plain = len(places) > 1 and not constants and all(to is None for _, to in places)
    return _Prepared(
        text=state.statement,
        places=places,
        constants=constants,
        plain=itemgetter(*(name for name, _ in places)) if is_plain else None,
    )


def _padded(items: list[Any]) -> list[Any]:
    """The list up to the next power of two, so that there are few texts; a member twice is one."""
    missing = (1 << (len(items) - 1).bit_length()) - len(items) if items else 0
    return items + items[-1:] * missing


def _flat(values: Mapping[str, Any], lists: Sequence[str]) -> Mapping[str, Any]:
    """Lists spread over the names that SQLAlchemy gives their members."""
    if not lists:
        return values
    flat = {name: value for name, value in values.items() if name not in lists}
    for name in lists:
        flat.update((f"{name}_{place}", item) for place, item in enumerate(values[name], 1))
    return flat
