"""What every end of a command must be: no exception of others, nothing lost."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import typer

from search_spaces import SpaceError
from storage import StorageError
from study.cli import _plan
from study.errors import StudyError
from trainers.problems import ProblemError

DECLARED = (StudyError, StorageError, SpaceError, ProblemError)
"""What `weighbridge` turns into one message; anything else is a traceback."""
_LONGEST = 4000
_NO_WORDS = typer.Context(typer.main.TyperCommand("plan"), info_name="plan")
"""Of a command to which no options were given."""


def content(database: Path) -> str:
    """A digest of all that a SQLite file holds."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def planned(spec: str, storage: str) -> str:
    """Plan a spec as the command does, in words and as JSON; what it was refused with, if it was.

    Any other exception passes.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            for as_json in (False, True):
                with contextlib.suppress(typer.Exit):  # 0, or 1 with what it has found
                    _plan.command(
                        _NO_WORDS,
                        spec,
                        device="cpu",
                        probe=False,
                        storage=storage,
                        as_json=as_json,
                    )
    except DECLARED as error:
        message = str(error)
        assert "Traceback" not in message
        assert 20 < len(message) < _LONGEST, message
        assert message.rstrip().endswith((".", "?", "'")), message
        return message
    return ""


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder; whoever leaves it is found out."""
    with contextlib.chdir(folder):
        yield
        assert Path(os.getcwd()) == folder
