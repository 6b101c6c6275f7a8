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
_APART = {
    "--by-seed": "Scores by seed are",
    "--front": "A front is",
    "--exhibit": "An exhibit is",
}
"""What may be written instead of a row a run."""


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
    exhibit: Annotated[
        str | None,
        typer.Option(
            "--exhibit",
            metavar="NAME",
            help="The table of this name that the best trial's run shows, such as suspects, "
            "instead of one row a run.",
        ),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option("--search", metavar="NAME", help="Of the exhibit: which search shows it."),
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Export one row a run, as .csv or .parquet; or one trial a trial, for optuna-dashboard."""
    from reports.export import export

    apart = _instead_of_runs(by_seed=by_seed, front=front, exhibit=exhibit, search=search)
    with opened(study, storage) as frames:
        if output.startswith("optuna:"):
            if apart:
                raise StudyError(
                    f"{_APART[apart]} written into a file. Got {apart} and an Optuna database. "
                    f"Leave out {apart}, or name a .csv or .parquet file."
                )
            from study.cli import _optuna

            _optuna.export(frames, output, storage=storage, overwrite=overwrite, as_json=as_json)
            return
        export(frames, Path(output), by_seed=by_seed, front=front, exhibit=exhibit, search=search)
        if as_json:
            size = Path(output).stat().st_size
            print_json("export.file", {"study": frames.name, "path": output, "size_bytes": size})
            return
        what = "winners, seed by seed" if by_seed or output.lower().endswith(".npz") else ""
        what = "the front" if front else f"the table {exhibit}" if exhibit is not None else what
        n_runs = len(frames.runs) + len(frames.followups)
        say(f"Wrote {output}: {what or counted(n_runs, 'run')}.")


def _instead_of_runs(*, by_seed: bool, front: bool, exhibit: str | None, search: str | None) -> str:
    """The option that asks for another table than that of runs; empty without one.

    Raises:
        StudyError: There are several, or a search of none.
    """
    wanted = zip(_APART, (by_seed, front, exhibit is not None), strict=True)
    given = [key for key, is_wanted in wanted if is_wanted]
    if len(given) > 1:
        raise StudyError(
            f"A file holds one table. Got {' and '.join(given)}. Leave out all but one, and export "
            "again."
        )
    if search is not None and exhibit is None:
        raise StudyError(
            "`--search` says which search's exhibit is written. Got it without `--exhibit`. Add "
            "that, or leave it out."
        )
    return given[0] if given else ""
