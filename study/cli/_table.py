"""``weighbridge table``: the table of a study for a paper."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import print_json, say

if TYPE_CHECKING:
    from reports.tables import MethodTable

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
    as_json: AsJson = False,
) -> None:
    """Write the methods' table for a paper: test values, intervals, and the runs behind each."""
    from reports.tables import format_of_file, method_table, rendered, write_table

    if as_json and (format or output):
        raise typer.BadParameter("--json is a format, and is printed. Leave out --format and -o.")
    with opened(study, storage) as frames:
        if as_json:
            made = method_table(frames)
            print_json(
                "table",
                {"study": made.study, "caption": made.caption, "cells": list(_cells(made))},
            )
            return
        chosen = format or format_of_file(output)
        text = rendered(method_table(frames), format=chosen)
        if output is None:
            sys.stdout.write(text)
            return
        write_table(text, output)
        say(f"Wrote {output}: {chosen}.")


def _cells(table: MethodTable) -> Iterator[dict[str, Any]]:
    """All cells, line by line."""
    for line in table.lines:
        for column, cell in zip(table.columns, line.cells, strict=True):
            yield {
                "search": line.search,
                "method": line.method,
                "task": column.task,
                "metric": column.name,
                "direction": column.direction,
                "unit": column.unit,
                "value": cell.value if math.isfinite(cell.value) else None,
                "diverged": math.isinf(cell.value),
                "low": cell.interval and cell.interval.low,
                "high": cell.interval and cell.interval.high,
                "bold": cell.bold,
                "kind": line.kind,
                "n_trials": line.n_trials,
                "seeds": list(line.seeds),
                "runs": list(cell.runs),
            }
