"""SQLAlchemy engines, set up so that both databases keep the same promises."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from storage.database.urls import PREPARE, connect_options, sqlite_file
from storage.database.wal_files import note_log
from storage.errors import DatabaseUnusable
from storage.schema.prepared import execute

BUSY_S = 5
_CONNECT_S = 10
_ENCODINGS = {"UTF8", "SQL_ASCII"}  # the second takes bytes as they come


def make_engine(url: URL) -> Engine:
    """An engine whose transactions are ours to begin."""
    if url.get_backend_name() != "sqlite":
        return _postgresql_engine(url)
    in_memory = sqlite_file(url) is None
    engine = sa.create_engine(
        url,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
        # what lies in memory has one connection, which threads take in turns
        **({"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0} if in_memory else {}),
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql_engine(url: URL) -> Engine:
    options = {
        "connect_timeout": int(str(url.query.get("connect_timeout", _CONNECT_S))),
        # what a database of the encoding SQL_ASCII holds is taken as it is, and is UTF-8 as well
        "client_encoding": "utf8",
        **connect_options(url),
    }
    plain = url.difference_update_query(options)
    engine = sa.create_engine(plain, pool_pre_ping=True, connect_args=options)
    event.listen(engine, "connect", lambda made, _record: _set_up_postgresql(made, options))
    return engine


def _set_up_postgresql(connection: Any, options: Mapping[str, Any]) -> None:
    """Look at a connection that was just made; SQLAlchemy leaves it open if that fails."""
    try:
        _check_encoding(connection)
        if PREPARE not in options:
            _prepare_nothing_behind_a_pooler(connection)
    except BaseException:
        connection.close()
        raise


def _check_encoding(connection: Any) -> None:
    found = connection.info.parameter_status("server_encoding") or ""
    if found not in _ENCODINGS:
        raise DatabaseUnusable(
            f"A study database holds text of all scripts. Got one of the encoding {found}. "
            "Create one with: CREATE DATABASE weighbridge ENCODING 'UTF8' TEMPLATE template0"
        )


def _prepare_nothing_behind_a_pooler(connection: Any) -> None:
    """A pooler may hand each transaction to another server process, which has prepared nothing.

    It tells its clients another process id than that of the server.
    """
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    if pid != connection.info.backend_pid:
        connection.prepare_threshold = None


def reading(url: URL) -> dict[str, Any]:
    """Options of a transaction that sees one state of the database and cannot write."""
    if url.get_backend_name() == "sqlite":
        return {"weighbridge_read": True}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's own transaction handling never begins one for SELECT; ours begins them all.
    connection.isolation_level = None
    _use_wal(connection)
    if path := connection.execute("PRAGMA database_list").fetchone()[2]:
        note_log(path)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # The log is moved into the file after 16 MiB, not 4: the transaction that does it takes longer.
    connection.execute("PRAGMA wal_autocheckpoint=4000")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; SQLite itself does not wait for others who do so, too."""
    give_up_s = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up_s:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    reads = bool(connection.get_execution_options().get("weighbridge_read", False))
    # only when it changes: after this pragma SQLite compiles every statement anew
    if connection.info.get("query_only", False) is not reads:
        execute(connection, f"PRAGMA query_only={'ON' if reads else 'OFF'}")
        connection.info["query_only"] = reads
    execute(connection, "BEGIN" if reads else "BEGIN IMMEDIATE")
