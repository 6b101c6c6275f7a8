"""Storage URLs read as text, without SQLAlchemy: planning in a fresh folder does not load it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from urllib.parse import quote, unquote

from storage.errors import StorageError

_SCHEMES = ("sqlite://", "sqlite+pysqlite://")
_OF_USER = re.compile(r"(://[^:/@\s]*):[^\s]*@")  # up to the last @: passwords may hold one
_OF_QUERY = re.compile(
    r"(\b(?:(?:ssl)?password|oauth_client_secret|scram_\w+_key|options)=)('[^']*'|[^&\s]*)"
)


def database_file(url: str) -> Path | None:
    """The file that a storage URL names, None if it names none of SQLite's.

    Raises:
        StorageError: It is a URL of SQLite whose database would not be found again. The URL is not
            repeated: what is wrong in it may be a secret.
    """
    scheme = next((scheme for scheme in _SCHEMES if url.startswith(scheme)), None)
    if scheme is None:
        return None
    rest = url.removeprefix(scheme)
    if rest and not rest.startswith("/"):
        raise StorageError(
            "A SQLite URL has three slashes and a path: sqlite:///FILE, or sqlite:////FULL/PATH. "
            "Got one with a host in the path's place."
        )
    if "?" in rest:
        raise StorageError(
            "A SQLite URL has no options. Got one with a question mark. Leave out what follows it; "
            "a question mark in a file's name is written %3F."
        )
    name = unquote(rest[1:])
    _check(name)
    return Path(name)


def shown_file(path: Path) -> str:
    """The URL that names a file, on one line whatever its name holds."""
    plain = str(path).replace("%", "%25").replace("?", "%3F")
    return "sqlite:///" + "".join(
        character if character.isprintable() else quote(character, errors="surrogatepass")
        for character in plain
    )


def without_password(text: str) -> str:
    """The text, which may be any that holds a URL, with ``***`` in place of passwords."""
    return _OF_QUERY.sub(r"\1***", _OF_USER.sub(r"\1:***@", text))


def _check(name: str) -> None:
    if name in ("", ":memory:") or name.startswith("file:"):
        raise StorageError(
            "A study database is a file that stays: sqlite:///FILE. Got a URL without one; "
            "is a variable in it empty?"
        )
    try:
        mode = _mode(name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a file"
        raise StorageError(
            f"A SQLite URL names a file that can be made. Got another path: {reason}. "
            "Give --storage another name."
        ) from None
    if name.endswith(("/", "/.", "/..")) or name in (".", "..") or stat.S_ISDIR(mode):
        raise StorageError(
            "A SQLite URL names a file. Got a folder. Put a name behind it, as in "
            "sqlite:///FOLDER/weighbridge.db."
        )
    if mode and not stat.S_ISREG(mode):
        raise StorageError(
            "A SQLite URL names a regular file. Got a device, a pipe or a socket. "
            "Give --storage another name."
        )


def _mode(name: str) -> int:
    """What kind of thing is there, 0 if nothing is."""
    name.encode()  # it is a part of rows: of checkpoints beside it
    try:
        return os.stat(name).st_mode
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return 0  # opening it says which
