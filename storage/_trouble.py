"""What a database's error means: whether it may pass by itself, and what a user would do."""

from __future__ import annotations

import sqlite3

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage._engines import BUSY_S
from storage._lock_holders import lock_holders
from storage._passwords import without_password
from storage._urls import secrets, shown, sqlite_file
from storage.errors import DatabaseUnusable

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING_STATES = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53300",  # too many connections
    "55P03",  # lock not available
    "57P01",  # admin shutdown
    "57P02",  # crash shutdown
    "57P03",  # cannot connect now: it starts, or recovers
    "57P05",  # idle session timeout
}
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
)
_HINTS = {
    "file is not a database": "It is some other file. Give --storage another name.",
    "malformed": "It is damaged. Restore a copy, or give --storage another name.",
    "unable to open": "Check that its folder exists and that you may write there.",
    "readonly": "Check its permissions, or copy it to where you may write.",
    "disk I/O error": "Check its disk, then run the same command again; nothing is lost.",
    "is full": "Free some space and run the same command again; nothing is lost.",
    "No space left": "Free some space on the server and run the same command again.",
    "authentication failed": "Check the user and the password, in the URL or in ~/.pgpass.",
    "no password supplied": "Put one in the URL, in PGPASSWORD or in ~/.pgpass.",
    "does not exist": "Create it first, or correct the URL.",
    "connect": "Check that the server runs and that the URL is right.",
    "resolve host": "Check that the host's name in the URL is right.",
}


def explained(url: URL, error: DBAPIError) -> DatabaseUnusable:
    """The error as one sentence of cause and one of advice, without passwords."""
    text = _first_line(error)
    for secret in secrets(url):
        text = text.replace(secret, "***")
    if _is_locked(error):
        hint = _locked_hint(url)
    else:
        hint = next((h for key, h in _HINTS.items() if key in text), "Run the command again.")
    return DatabaseUnusable(
        f"The study database {shown(url)} cannot be used: {without_password(text)}. {hint}",
        passing=_is_passing(error),
    )


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__


def _is_passing(error: DBAPIError) -> bool:
    if _is_locked(error):
        return True
    if isinstance(error.orig, sqlite3.Error):
        return False  # SQLite has no other trouble that passes
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _PASSING_STATES or state.startswith(_CONNECTION_CLASS)
    text = str(error.orig)
    lost = error.connection_invalidated or type(error.orig).__name__ in _CONNECTION_ERRORS
    return lost and not any(refusal in text for refusal in _REFUSALS)


def _is_locked(error: DBAPIError) -> bool:
    return "database is locked" in str(error.orig)


def _locked_hint(url: URL) -> str:
    path = sqlite_file(url)
    who = ", ".join(lock_holders(path)) if path else ""
    return f"{who or 'Another program'} has held its lock for {BUSY_S} s. End that one, run again."
