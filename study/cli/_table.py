"""``weighbridge table``: the table of a study for a paper."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, StorageUrl, Study
from study.cli._output import say

NAME = "table"


def command(
    study: Study,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="latex (for booktabs), markdown, or csv, which has one row a cell; default: by "
            "the suffix of the file (.tex, .md, .csv), else markdown.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="The file to write; default: print."),
    ] = None,
    storage: StorageUrl = STORAGE,
) -> None:
    """Write the methods' table for a paper: test values, intervals, and the runs behind each."""
    from reports.tables import format_of_file, method_table, rendered, write_table

    with opened(study, storage) as frames:
        chosen = format or format_of_file(output)
        text = rendered(method_table(frames), format=chosen)
        if output is None:
            sys.stdout.write(text)
            return
        write_table(text, output)
        say(f"Wrote {output}: {chosen}.")
