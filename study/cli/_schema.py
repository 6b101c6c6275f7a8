"""``weighbridge schema``: the shape of what a verb prints with ``--json``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from study.cli._documents import DOCUMENTS
from study.cli._output import console, next_step, table
from trainers.suggestions import did_you_mean

NAME = "schema"


def command(
    verb: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VERB]", help="Of which verb; default: list them."),
    ] = None,
) -> None:
    """Print the JSON Schema (draft 2020-12) of what a verb prints with --json."""
    named = " ".join(verb or ())
    if not named:
        _list()
        return
    if named not in DOCUMENTS:
        raise typer.BadParameter(
            f"It must be a verb that has --json. Got {named}.{did_you_mean(named, DOCUMENTS)} "
            f"There are: {', '.join(DOCUMENTS)}."
        )
    from study.cli.shapes.schema import schema_of  # pydantic loads with it

    sys.stdout.write(json.dumps(schema_of(named), indent=2) + "\n")


def _list() -> None:
    rows = table("verb", "documents")
    for name, documents in DOCUMENTS.items():
        rows.add_row(name, ", ".join(documents))
    console.print(rows)
    next_step("schema", next(iter(DOCUMENTS)))
