"""``weighbridge export``: one row a run, as CSV or Parquet, or the trials for Optuna."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, StorageUrl, Study
from study.cli._output import counted, say

NAME = "export"


def command(
    study: Study,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", help="A .csv or .parquet file, or optuna:URL, an Optuna database."
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace Optuna studies that were exported before.")
    ] = False,
    storage: StorageUrl = STORAGE,
) -> None:
    """Export one row a run, as .csv or .parquet; or one trial a trial, for optuna-dashboard."""
    from reports.export import export

    with opened(study, storage) as frames:
        if output.startswith("optuna:"):
            from study.cli import _optuna

            _optuna.export(frames, output, storage=storage, overwrite=overwrite)
            return
        export(frames, Path(output))
        say(f"Wrote {output}: {counted(len(frames.runs), 'run')}.")
