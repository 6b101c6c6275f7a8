"""Notices that a database's file was deleted or replaced, and saves what is still open.

An open file lives on without a name; whatever is written to it then is lost when it is closed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import cast

from sqlalchemy import Engine

from storage.errors import DatabaseUnusable


class FileGuard:
    """Watches the name of one SQLite file.

    Args:
        path: The file, which is there.
        engine: Has it open.
        saves: Whether to save what it holds; of several that have it open in a process, one does.
    """

    def __init__(self, path: Path, engine: Engine, *, saves: bool) -> None:
        self._path, self._engine, self._saves = path.absolute(), engine, saves
        self._was = _identity(self._path)
        self._verdict = ""

    def check(self) -> None:
        """Refuse to write to a file that has lost its name.

        Raises:
            DatabaseUnusable: It has; what it held is in a new file beside it, if this saves it.
        """
        if not self._verdict:
            is_now = _identity(self._path)
            if is_now == self._was:
                return
            what = "deleted or moved" if is_now is None else "replaced by another file"
            self._verdict = f"The study database {self._path} was {what} while in use."
            if self._saves:
                self._verdict += f" {self._save()}"
        raise DatabaseUnusable(self._verdict)

    def _save(self) -> str:
        try:
            saved = self._back_up()
        except (OSError, sqlite3.Error) as error:
            return f"It could not be saved: {error}. Restore a copy, then run again."
        return (
            f"All that it held is saved in {saved}. Run again with --storage sqlite:///{saved}, "
            f"or rename it to {self._path.name} first."
        )

    def _back_up(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._engine.pool.checkedin() == 0:  # type: ignore[attr-defined]
            raise OSError("no connection to it is open")
        target = _free_name(self._path)
        pooled = self._engine.raw_connection()
        try:
            source = cast(sqlite3.Connection, pooled.driver_connection)
            with contextlib.closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
        finally:
            pooled.close()
        return target


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _free_name(path: Path) -> Path:
    """``NAME.rescued-1.db``, or with the next number that is free."""
    number = 1
    while (name := path.with_name(f"{path.stem}.rescued-{number}.db")).exists():
        number += 1
    return name
