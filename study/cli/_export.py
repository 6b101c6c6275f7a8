"""``weighbridge export``: a row a run or a score, NumPy arrays, or the trials for Optuna."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import counted, print_json, say
from study.errors import StudyError

NAME = "export"
_BY_SEED = "--by-seed"


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
    front: Annotated[
        bool,
        typer.Option(
            "--front",
            help="One row a trial on the front of several objectives instead of one a run.",
        ),
    ] = False,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Export one row a run, as .csv or .parquet; or one trial a trial, for optuna-dashboard."""
    from reports.export import export

    if front and by_seed:
        raise StudyError(
            "A file holds one table. Got --front and --by-seed. Leave out one, and export again."
        )
    with opened(study, storage) as frames:
        if output.startswith("optuna:"):
            if by_seed or front:
                what, key = ("A front is", "--front") if front else ("Scores by seed are", _BY_SEED)
                raise StudyError(
                    f"{what} written into a file. Got {key} and an Optuna database. "
                    f"Leave out {key}, or name a .csv or .parquet file."
                )
            from study.cli import _optuna

            _optuna.export(frames, output, storage=storage, overwrite=overwrite, as_json=as_json)
            return
        export(frames, Path(output), by_seed=by_seed, front=front)
        if as_json:
            size = Path(output).stat().st_size
            print_json("export.file", {"study": frames.name, "path": output, "size_bytes": size})
            return
        what = "winners, seed by seed" if by_seed or output.lower().endswith(".npz") else ""
        what = "the front" if front else what
        n_runs = len(frames.runs) + len(frames.followups)
        say(f"Wrote {output}: {what or counted(n_runs, 'run')}.")
