"""Puts the verbs together and turns known errors into one message and exit code 2."""

from __future__ import annotations

import sys
from typing import Any

import typer
from rich.markup import escape
from typer.main import get_command

from search_spaces import SpaceError
from storage import StorageError
from study.cli import (
    _compare,
    _delete,
    _doctor,
    _export,
    _init,
    _log,
    _plan,
    _presets,
    _problem,
    _ray_doctor,
    _rename,
    _report,
    _retry,
    _run,
    _status,
)
from study.cli._console import write_what_can_be_written
from study.cli._output import errors, fail_code, styled
from study.errors import StudyError
from trainers.problems import ProblemError

app = typer.Typer(
    name="weighbridge",
    help="What a point of multi-task performance costs to find: sweeps over loss weightings, "
    "compared at equal compute.\n\nSTUDY is the path of a TOML file, the name of a stored study, "
    "or a preset's name. What ends in .toml or has a slash is a "
    "file, if it is there; all else is a name first, so that no file hides a stored study.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
_VERBS = (
    *(_presets, _init, _plan, _run, _retry, _status, _log),
    *(_compare, _report, _export, _rename, _delete, _doctor),
)
for verb in _VERBS:
    app.command(name=verb.NAME)(verb.command)
on_ray = typer.Typer(help="Look at a Ray cluster.", no_args_is_help=True)
on_ray.command(name=_ray_doctor.NAME)(_ray_doctor.command)
app.add_typer(on_ray, name="ray")
problems = typer.Typer(help="Look at a problem.", no_args_is_help=True)
problems.command(name=_problem.NAME)(_problem.command)
app.add_typer(problems, name="problem")


def main() -> None:
    """Run the command line."""
    write_what_can_be_written()
    try:
        _literal(get_command(app))()
    except (StudyError, StorageError, SpaceError, ProblemError) as error:
        errors.print(styled(("error", "bold red"), f" {error}"))
        sys.exit(fail_code(error))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, as with `| head`
    except OSError as error:
        errors.print(
            styled(
                ("error", "bold red"),
                f" The operating system refused something. It said: {error}. Look at disk space, "
                "rights and the paths that were named, then run the command again.",
            )
        )
        sys.exit(2)


def _literal(command: Any) -> Any:
    """The command with help texts that say `[budget]` where they say so, and no markup."""
    command.help = escape(command.help or "")
    for param in command.params:
        if getattr(param, "help", None):
            param.help = escape(param.help)
    for verb in getattr(command, "commands", {}).values():
        _literal(verb)
    return command
