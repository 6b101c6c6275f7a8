"""Arguments and options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

from study.commands import DEFAULT_STORAGE, STORAGE_VARIABLE

Study = Annotated[str, typer.Argument(metavar="STUDY", help="TOML file, stored study, or preset.")]
StorageUrl = Annotated[
    str,
    typer.Option(
        "--storage",
        envvar=STORAGE_VARIABLE,
        metavar="URL",
        help="Study database, SQLite or PostgreSQL.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without a question.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

STORAGE = DEFAULT_STORAGE


def ask(question: str, *, yes: bool) -> None:
    """Go on if the answer is yes, or was given beforehand; else end the command."""
    if not yes:
        typer.confirm(question, abort=True, err=True)
