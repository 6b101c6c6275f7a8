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
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

STORAGE = DEFAULT_STORAGE
