"""URLs of databases: which are accepted, how they are shown, which file they mean."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from storage._passwords import without_password
from storage.errors import StorageError


def checked_url(url: str) -> URL:
    """A URL of SQLite, or of PostgreSQL with the driver that we use.

    Raises:
        StorageError: It is neither.
    """
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # without its cause: that one repeats the URL, password included
        raise StorageError(
            "A storage URL looks like sqlite:///weighbridge.db or "
            "postgresql+psycopg://user@host/name. Got one that is neither."
        ) from None
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise StorageError(
            f"A study database is SQLite or PostgreSQL. Got {parsed.get_backend_name()}. "
            "Use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
        )
    return parsed


def shown(url: URL) -> str:
    """A URL that may be printed."""
    return without_password(url.render_as_string(hide_password=True))


def secrets(url: URL) -> tuple[str, ...]:
    """What must never be printed of a URL."""
    found = [url.password, *(url.query.get(key) for key in ("password", "sslpassword"))]
    return tuple(str(secret) for secret in found if secret)


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL, None for memory and servers."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))
