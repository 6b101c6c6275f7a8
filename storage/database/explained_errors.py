"""What a database's error means: whether it may pass by itself, and what a user would do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage.database.engines import BUSY_S
from storage.database.plain_urls import without_password
from storage.database.urls import secrets, shown, sqlite_file
from storage.errors import DatabaseUnusable

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_RESTARTS = "The server is being restarted, or an administrator has ended the connection."
_PAUSED = "The server ends transactions that wait, as after a pause of this machine."
_STANDBY = "25006"
_PASSING_STATES = {
    _STANDBY: "The server takes no writes now: it is a standby, or changes places with one. Name "
    "the one that does in the URL, or all of them and target_session_attrs=read-write.",
    "25P03": _PAUSED,  # idle in transaction
    "25P04": _PAUSED,  # transaction timeout
    "40001": "Other drivers were faster.",  # serialization failure
    "40P01": "Other drivers were faster.",  # deadlock
    "53300": "Raise max_connections of the server, or use fewer drivers.",
    "55P03": "Another transaction holds a lock. End it on the server.",  # lock not available
    "57014": "Another transaction holds a lock for longer than the server's statement_timeout. "
    "End it on the server, or raise the timeout.",
    "57P01": _RESTARTS,  # admin shutdown
    "57P02": _RESTARTS,  # crash shutdown
    "57P03": _RESTARTS,  # cannot connect now: it starts, or recovers
    "57P05": "The server ends connections that wait.",  # idle session timeout
}
# A pooler gave this transaction to another server process than the one that prepared a statement.
_UNPREPARED = dict.fromkeys(
    ("26000", "42P05"),
    "A pooler between here and the server mixes up prepared statements. "
    "Put prepare_threshold=0 into the URL, or leave the option out.",
)
_OF_STATE = {**_PASSING_STATES, **_UNPREPARED}
_CONNECTION_CLASS = "08"
_CONNECTION_ERRORS = {"OperationalError", "ConnectionTimeout"}
# psycopg gives errors at connecting no state; these are not mended by waiting
_REFUSALS = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
    "not permitted to log in",
    # options of the URL
    "invalid ",
    "could not parse",
    "definition of service",
)
_HINTS = {
    "file is not a database": "It is some other file. Give --storage another name.",
    "malformed": "It is damaged. Restore a copy, or give --storage another name.",
    "unable to open": "Check that its folder exists and that you may write there.",
    "readonly": "Check its permissions, or copy it to where you may write.",
    "disk I/O error": "Check its disk, then run the same command again; nothing is lost.",
    "is full": "Free some space and run the same command again; nothing is lost.",
    "No space left": "Free some space on the server and run the same command again.",
    "permission denied": "Grant this user what is missing, or name another one in the URL.",
    "not permitted to log in": "Let this role log in, or name another one in the URL.",
    "no pg_hba.conf entry": "Let the server accept this host and user in its pg_hba.conf.",
    "authentication failed": "Check the user and the password, in the URL or in ~/.pgpass.",
    "no password supplied": "Put one in the URL, in PGPASSWORD or in ~/.pgpass.",
    "invalid ": "Correct the options of the URL.",
    "could not parse": "Correct the options of the URL.",
    "definition of service": "Correct the options of the URL.",
    "does not exist": "Create it first, or correct the URL.",
    "connect": "Check that the server runs and that the URL is right.",
    "resolve host": "Check that the host's name in the URL is right.",
}

_LOCKS = Path("/proc/locks")


def explained(url: URL, error: DBAPIError) -> DatabaseUnusable:
    """The error as one sentence of cause and one of advice, without passwords."""
    text = _first_line(error)
    for secret in secrets(url):
        text = text.replace(secret, "***")
    if _is_locked(error):
        hint = _locked_hint(url)
    else:
        known = (hint for key, hint in _HINTS.items() if key in text)
        hint = _OF_STATE.get(_state(error)) or next(known, _unknown_hint(error))
    return DatabaseUnusable(
        f"The study database {shown(url)} cannot be used: {without_password(text)}. {hint}",
        passing=_is_passing(error),
    )


def _unknown_hint(error: DBAPIError) -> str:
    """To run it again is advice only for what passes by itself."""
    if _is_passing(error):
        return "Run the command again."
    if isinstance(error.orig, sqlite3.Error):
        return "Look at the file and its disk; running the command again will not mend it."
    return "See the server's log; running the command again will not mend it."


def takes_no_writes(error: DBAPIError) -> bool:
    """Whether the server is a standby, perhaps since a moment ago."""
    return _state(error) == _STANDBY


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__


def _is_passing(error: DBAPIError) -> bool:
    if _is_locked(error):
        return True
    if isinstance(error.orig, sqlite3.Error):
        return False  # SQLite has no other trouble that passes
    state = _state(error)
    if state:
        return state in _PASSING_STATES or state.startswith(_CONNECTION_CLASS)
    text = str(error.orig)
    lost = error.connection_invalidated or type(error.orig).__name__ in _CONNECTION_ERRORS
    return lost and not any(refusal in text for refusal in _REFUSALS)


def _state(error: DBAPIError) -> str:
    """PostgreSQL's code of the error; empty if it has none, as for many errors at connecting."""
    return getattr(error.orig, "sqlstate", None) or ""


def _is_locked(error: DBAPIError) -> bool:
    return "database is locked" in str(error.orig)


def _locked_hint(url: URL) -> str:
    path = sqlite_file(url)
    who = ", ".join(lock_holders(path)) if path else ""
    return f"{who or 'Another program'} has held its lock for {BUSY_S} s. End that one, run again."


def lock_holders(path: Path) -> list[str]:
    """Other processes that hold a write lock on the file or its write-ahead log.

    A line of the list is ``1: POSIX  ADVISORY  WRITE 4711 08:01:1234 120 120``: the process id is
    the fifth word, the inode the end of the sixth. A process of another container has id 0.
    """
    inodes = set(_inodes(path))
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines if " WRITE " in line and "->" not in line]
    pids = {int(w[4]) for w in words if w[5].rpartition(":")[2] in inodes and w[4].isdigit()}
    return [_process(pid) for pid in sorted(pids - {0, os.getpid()})]


def _inodes(path: Path) -> Iterable[str]:
    for name in (path, path.with_name(f"{path.name}-shm")):
        try:
            yield str(name.stat().st_ino)
        except OSError:
            continue


def _process(pid: int) -> str:
    try:
        return f"process {pid} ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    except OSError:
        return f"process {pid}"
