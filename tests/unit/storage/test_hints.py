"""What a database's error is answered with follows from the error."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from storage.database.explained_errors import explained

SERVER = make_url("postgresql+psycopg://me@db/studies")
FILE = make_url("sqlite:///studies.db")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (psycopg.errors.InsufficientPrivilege("permission denied for schema public"), "Grant"),
        (psycopg.OperationalError('FATAL: role "me" is not permitted to log in'), "log in, or"),
        (psycopg.OperationalError("FATAL: no pg_hba.conf entry for host"), "pg_hba.conf."),
        (psycopg.errors.UndefinedColumn("column x of relation y is odd"), "See the server's log"),
    ],
)
def test_what_does_not_pass_is_not_to_be_run_again(error: Exception, advice: str) -> None:
    found = explained(SERVER, DBAPIError("SELECT 1", {}, error))
    assert advice in str(found)
    assert "Run the command again" not in str(found)
    assert not found.passing


def test_what_passes_is() -> None:
    found = explained(SERVER, DBAPIError("SELECT 1", {}, psycopg.OperationalError("odd")))
    assert found.passing
    assert str(found).endswith("Run the command again.")


def test_a_files_trouble_speaks_of_the_file() -> None:
    found = explained(FILE, DBAPIError("SELECT 1", {}, sqlite3.OperationalError("odd")))
    assert "Look at the file and its disk" in str(found)
