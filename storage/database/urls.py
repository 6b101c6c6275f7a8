"""URLs of databases: which are accepted, how they are shown, which file they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.database.plain_urls import database_file, shown_file
from storage.errors import StorageError

_POSTGRESQL = {"postgresql", "postgresql+psycopg"}
_LOOKS = "A storage URL looks like sqlite:///weighbridge.db or postgresql+psycopg://user@host/name."
PREPARE = "prepare_threshold"
_ESCAPED = make_url("postgresql://host/%41")
_NUMBERS = {"connect_timeout", "port", PREPARE}
_ENCODING = "client_encoding"  # always UTF-8, whatever the server would choose
# Of libpq's options, those whose values are shown: none of them is a secret.
_PLAIN = {
    *("host", "hostaddr", "port", "dbname", "user", "connect_timeout", PREPARE),
    *("sslmode", "target_session_attrs", "load_balance_hosts", "application_name"),
}


def checked_url(url: str) -> URL:
    """A URL of SQLite, or of PostgreSQL with the driver that we use.

    Raises:
        StorageError: It is neither, or asks for what cannot be done. Parts of it that are not
            known are not repeated: they may be secrets.
    """
    file = database_file(url)
    if file is not None:
        return URL.create("sqlite", database=str(file))
    try:
        url.encode()
        parsed = make_url(url)
        if _ESCAPED.database == "%41":  # SQLAlchemy 2.0; from 2.1 on, it is what the escape means
            parsed = parsed.set(database=parsed.database and unquote(parsed.database))
    except (ArgumentError, ValueError):
        # without its cause: that one repeats the URL, password included
        raise StorageError(f"{_LOOKS} Got one that is neither.") from None
    if parsed.drivername not in _POSTGRESQL:
        raise StorageError(f"{_LOOKS} Got one of another database or driver.")
    _check_parts(parsed)
    _check_options(parsed)
    made = parsed.set(drivername="postgresql+psycopg")
    try:
        made.get_dialect()().create_connect_args(made)  # it has rules of its own, for several hosts
    except (ArgumentError, ValueError):
        raise StorageError(
            f"{_LOOKS} Got hosts and ports that do not fit together. Write a port for each host, "
            "or for none."
        ) from None
    return made


def shown(url: URL) -> str:
    """A URL that may be printed."""
    file = sqlite_file(url)
    if file is not None:
        return shown_file(file)
    masked = {key: value if key in _PLAIN else "***" for key, value in url.query.items()}
    return url.set(query=masked).render_as_string(hide_password=True).replace("%2A%2A%2A", "***")


def secrets(url: URL) -> tuple[str, ...]:
    """What must never be printed of a URL."""
    hidden = [value for key, value in url.query.items() if key not in _PLAIN]
    spread = [part for value in hidden for part in ((value,) if isinstance(value, str) else value)]
    return tuple(str(secret) for secret in (url.password, *spread) if secret)


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL, None for memory and servers."""
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    return Path(url.database)


def connect_options(url: URL) -> dict[str, Any]:
    """Options of a PostgreSQL URL that are numbers, as such; those for prepared statements, too.

    0 is to prepare none, as with other drivers; psycopg's own word for that is None.
    """
    if PREPARE not in url.query:
        return {}
    return {PREPARE: int(str(url.query[PREPARE])) or None}


def _check_parts(url: URL) -> None:
    texts = [url.username, url.password, url.host, url.database]
    texts += [part for item in url.query.items() for part in _spread(item)]
    if any("\0" in str(text) for text in texts if text is not None):
        raise StorageError(f"{_LOOKS} Got one with a NUL character in it. Write it anew.")
    if "@" in (url.host or ""):  # the rest of a password, which would be printed as a host
        raise StorageError(
            f"{_LOOKS} Got one with several @. Write those of a user's name or password as %40."
        )


def _check_options(url: URL) -> None:
    known = known_options()
    if not known.issuperset(url.query):
        n_unknown = len(url.query.keys() - known)
        raise StorageError(
            "A PostgreSQL URL has options of libpq behind its question mark, such as sslmode or "
            f"connect_timeout, and {PREPARE}. Got {n_unknown} that are none of these. "
            "Correct their names, or leave them out."
        )
    for key in sorted(_NUMBERS.intersection(url.query)):
        value = url.query[key]
        several = key == "port" and not isinstance(value, str)  # one a host
        for part in value if several else (value,):
            if not (isinstance(part, str) and part.isascii() and part.isdecimal()):
                raise StorageError(
                    f"The option {key} of a PostgreSQL URL is a whole number, once. "
                    "Got something else. Write it as in connect_timeout=10."
                )


def known_options() -> set[str]:
    """Options that a PostgreSQL URL may have: this libpq's, and ours."""
    from psycopg import pq  # with a URL of PostgreSQL only

    libpq = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    return {*libpq - {_ENCODING, "replication"}, PREPARE}


def _spread(item: tuple[str, str | tuple[str, ...]]) -> tuple[str, ...]:
    key, value = item
    return (key, value) if isinstance(value, str) else (key, *value)
