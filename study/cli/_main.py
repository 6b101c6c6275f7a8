"""Puts the verbs together and turns known errors into one message and exit code 2."""

from __future__ import annotations

import sys

import typer

from search_spaces import SpaceError
from storage import StorageError
from study.cli import (
    _compare,
    _doctor,
    _export,
    _init,
    _plan,
    _presets,
    _ray_doctor,
    _report,
    _retry,
    _run,
    _status,
)
from study.cli._output import errors, fail_code
from study.errors import StudyError
from trainers.problems import ProblemError

app = typer.Typer(
    name="weighbridge",
    help="What a point of multi-task performance costs to find: sweeps over loss weightings, "
    "compared at equal compute.\n\nSTUDY is the path of a TOML file, the name of a stored study, "
    "or a preset's name.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for verb in (_presets, _init, _plan, _run, _retry, _status, _compare, _report, _export, _doctor):
    app.command(name=verb.NAME)(verb.command)
on_ray = typer.Typer(help="Look at a Ray cluster.", no_args_is_help=True)
on_ray.command(name=_ray_doctor.NAME)(_ray_doctor.command)
app.add_typer(on_ray, name="ray")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except (StudyError, StorageError, SpaceError, ProblemError) as error:
        errors.print(f"[bold red]error[/] {errors.plain(str(error))}", highlight=False)
        sys.exit(fail_code(error))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, as with `| head`
