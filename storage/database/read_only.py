"""Looks at a SQLite file without making, changing or locking anything beside or in it.

A file in WAL mode is read together with its log, ``NAME-wal``, through an index, ``NAME-shm``, that
SQLite makes where there is none. A log that is there and not empty belongs to a writer: its index
is there, too, and is used. Without one all is in the file, which then is read as one that does not
change; if it does change meanwhile, what was read counts for nothing and is read again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from storage.database.engines import BUSY_S, make_engine
from storage.database.wal_files import keeps_log
from storage.errors import DatabaseUnusable


class _Opened(threading.local):
    """How the file was when a thread opened its connection; None if changes do no harm."""

    seen: tuple[int, ...] | None = None


class ReadOnlyConnections:
    """Connections that look at one file; each is opened for one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._opened = _Opened()

    def engine(self) -> Engine:
        """An engine of such connections."""
        engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    def copy(self) -> Engine:
        """An engine on a copy in memory, which may be written: for files of an older schema."""
        engine = make_engine(URL.create("sqlite"))
        pooled = engine.raw_connection()
        try:
            target = pooled.driver_connection
            assert isinstance(target, sqlite3.Connection)
            with contextlib.closing(self._connect()) as source:
                (size,) = source.execute("PRAGMA page_size").fetchone()
                target.execute(f"PRAGMA page_size={size}")  # a copy in memory cannot have another
                source.backup(target)
        finally:
            pooled.close()
        self.check()
        return engine

    def check(self) -> None:
        """Refuse what was read from a file that has changed since.

        Raises:
            DatabaseUnusable: It has; reading again helps.
        """
        if self._opened.seen is not None and self._opened.seen != self._state():
            raise DatabaseUnusable(f"{self._path} changed while it was read.", passing=True)

    def _connect(self) -> sqlite3.Connection:
        alone = self._is_alone()
        self._opened.seen = self._state() if alone else None
        how = "immutable=1" if alone else "mode=ro"
        return sqlite3.connect(
            f"file://{quote(str(self._path))}?{how}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )

    def _is_alone(self) -> bool:
        """Whether all is in the file: it is in WAL mode, and its log is empty or gone."""
        try:
            if self._path.with_name(f"{self._path.name}-wal").stat().st_size:
                return False
        except OSError:
            pass  # it is gone
        try:
            return keeps_log(self._path)
        except OSError:
            return False  # opening it says why

    def _state(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
