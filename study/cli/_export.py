"""``weighbridge export``: one row a run, as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, StorageUrl, Study
from study.cli._output import console

NAME = "export"


def command(
    study: Study,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .csv or .parquet file.")],
    storage: StorageUrl = STORAGE,
) -> None:
    """Export one row a run, as .csv or .parquet."""
    from reports.export import export

    with opened(study, storage) as frames:
        export(frames, output)
        console.print(f"Wrote {output}: {len(frames.runs)} runs.")
