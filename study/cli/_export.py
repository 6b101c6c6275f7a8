"""``weighbridge export``: a row a run or a score, NumPy arrays, or the trials for Optuna."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, StorageUrl, Study
from study.cli._output import counted, say
from study.errors import StudyError

NAME = "export"


def command(
    study: Study,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="A .csv or .parquet file; a .npz file of gains on single-task networks, for "
            "rliable; or optuna:URL, an Optuna database.",
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace Optuna studies that were exported before.")
    ] = False,
    by_seed: Annotated[
        bool,
        typer.Option(
            "--by-seed",
            help="One row a method, metric and seed instead of one a run: the test values of "
            "winners, for evaluma.",
        ),
    ] = False,
    storage: StorageUrl = STORAGE,
) -> None:
    """Export one row a run, as .csv or .parquet; or one trial a trial, for optuna-dashboard."""
    from reports.export import export

    with opened(study, storage) as frames:
        if output.startswith("optuna:"):
            if by_seed:
                raise StudyError(
                    "Scores by seed are written into a file. Got --by-seed and an Optuna database. "
                    "Leave out --by-seed, or name a .csv or .parquet file."
                )
            from study.cli import _optuna

            _optuna.export(frames, output, storage=storage, overwrite=overwrite)
            return
        export(frames, Path(output), by_seed=by_seed)
        what = "winners, seed by seed" if by_seed or output.lower().endswith(".npz") else ""
        say(f"Wrote {output}: {what or counted(len(frames.runs), 'run')}.")
