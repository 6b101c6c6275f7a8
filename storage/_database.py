"""One database: its connections, transactions and schema version."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from storage._dialects import lock_schema
from storage._tables import metadata
from storage._views import VIEWS
from storage.errors import DatabaseUnusable, SchemaMismatch, StorageError

SCHEMA_VERSION = "0001"
_OURS = {"alembic_version", "studies", "searches", "runs", "attempts"}  # in every version
_BUSY_S = 30
_version_table = sa.table("alembic_version", sa.column("version_num"))


class Database:
    """An engine with transactions that say clearly what went wrong."""

    def __init__(self, url: str, *, create: bool, read_only: bool = False) -> None:
        self.url = _checked_url(url)
        if not create:
            self._refuse_missing_file()
        self.engine = _engine(self.url)
        with self._explained():
            self._ensure_schema(create=create)
        if read_only:
            self.engine = self.engine.execution_options(**_reading(self.url))

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A writing transaction; on SQLite it takes the write lock at once."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and cannot write."""
        with self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(**_reading(self.url))
            with connection.begin():
                yield connection

    def _ensure_schema(self, *, create: bool) -> None:
        found = self._schema_version()
        if found == SCHEMA_VERSION:
            return
        if found is None:
            if not create:
                raise DatabaseUnusable(
                    f"{self.shown_url} holds no studies. "
                    "Start one with `weighbridge run STUDY`, or give another --storage.",
                    missing=True,
                )
            self._create_schema()
        elif found > SCHEMA_VERSION:
            raise SchemaMismatch(
                f"The database {self.shown_url} has schema {found}, newer than {SCHEMA_VERSION}, "
                "which this version of weighbridge knows. Upgrade weighbridge."
            )
        else:
            from storage.migrations import upgrade

            upgrade(self.engine)

    def _create_schema(self) -> None:
        with self.engine.begin() as connection:
            lock_schema(connection)
            if sa.inspect(connection).has_table("alembic_version"):
                return  # another process was faster
            metadata.create_all(connection)
            for name, query in VIEWS.items():
                connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
            connection.exec_driver_sql(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
            connection.execute(_version_table.insert().values(version_num=SCHEMA_VERSION))

    def _schema_version(self) -> str | None:
        with self.read() as connection:
            names = set(sa.inspect(connection).get_table_names())
            if names and not names >= _OURS:
                raise DatabaseUnusable(
                    f"{self.shown_url} is a database of another program: it holds the tables "
                    f"{', '.join(sorted(names)[:5])}. Give --storage a database of its own."
                )
            if not names:
                return None
            return connection.scalar(sa.select(_version_table.c.version_num))

    def _refuse_missing_file(self) -> None:
        path = sqlite_file(self.url)
        if path is not None and not path.exists():
            raise DatabaseUnusable(
                f"There is no study database at {path}. "
                "Start a study with `weighbridge run STUDY`, or name another file with --storage.",
                missing=True,
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise DatabaseUnusable(_explanation(self.shown_url, error.orig)) from error


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL, None for memory and servers."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def _checked_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise StorageError(
            "A storage URL looks like sqlite:///weighbridge.db or "
            "postgresql+psycopg://user@host/name. Got one that is neither."
        ) from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise StorageError(
            f"A study database is SQLite or PostgreSQL. Got {parsed.get_backend_name()}. "
            "Use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
        )
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True)
    in_memory = sqlite_file(url) is None
    engine = sa.create_engine(
        url,
        connect_args={"timeout": _BUSY_S, "check_same_thread": False},
        **({"poolclass": StaticPool} if in_memory else {}),
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _reading(url: URL) -> dict[str, Any]:
    """Options of a transaction that sees one state of the database and cannot write."""
    if url.get_backend_name() == "sqlite":
        return {"weighbridge_read": True}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's own transaction handling never begins one for SELECT; ours begins them all.
    connection.isolation_level = None
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; SQLite itself does not wait for others who do so, too."""
    give_up_s = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up_s:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("weighbridge_read", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _explanation(url: str, cause: BaseException | None) -> str:
    text = str(cause).strip().splitlines()[0] if cause else "unknown error"
    hints = {
        "file is not a database": "It is some other file. Give --storage another name.",
        "malformed": "It is damaged. Restore a copy, or give --storage another name.",
        "unable to open": "Check that its folder exists and that you may write there.",
        "readonly": "Check its permissions, or copy it to where you may write.",
        "locked": f"Another program has held its lock for {_BUSY_S} s. End that one, run again.",
        "disk is full": "Free some space and run the same command again; nothing is lost.",
        "connection": "Check that the server runs and that the URL is right.",
    }
    hint = next((hint for key, hint in hints.items() if key in text), "Run the command again.")
    return f"The study database {url} cannot be used: {text}. {hint}"
