"""Puts the verbs together and turns known errors into one message and exit code 2.

A verb's modules are imported if it is the one that was typed: most of a short command is imports.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import typer
from rich.markup import escape
from typer.main import get_group

from study.cli._console import write_what_can_be_written
from study.cli._output import errors, fail_code, styled

_VERBS: Final = (
    *(
        "presets",
        "methods",
        "trainers",
        "init",
        "plan",
        "run",
        "pause",
        "resume",
        "stop",
        "budget",
        "retry",
    ),
    *("status", "watch", "notify", "workers", "log", "audit"),
    *(
        "compare",
        "trials",
        "claims",
        "table",
        "replay",
        "report",
        "dashboard",
        "export",
        "network",
        "unseal",
        "rename",
        "delete",
        "doctor",
        "schema",
    ),
)
_GROUPS: Final = {
    "ray": ("Look at a Ray cluster.", "ray_doctor"),
    "problem": ("Look at a problem.", "problem"),
}


def application(words: Sequence[str] = ()) -> typer.Typer:
    """The command line: with the verb that `words` begin with, or else with all there are."""
    app = typer.Typer(
        name="weighbridge",
        help="What a point of multi-task performance costs to find: sweeps over loss weightings, "
        "compared at equal compute.\n\nSTUDY is the path of a TOML file, the name of a stored "
        "study, or a preset's name. What ends in .toml or has a slash is a file, if it is there; "
        "all else is a name first, so that no file hides a stored study.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    known = [word for word in words[:1] if word in (*_VERBS, *_GROUPS)]
    for name in known or (*_VERBS, *_GROUPS):
        if name in _GROUPS:
            about, module = _GROUPS[name]
            group = typer.Typer(help=about, no_args_is_help=True)
            _add(group, module)
            app.add_typer(group, name=name)
        else:
            _add(app, name)
    return app


def _add(app: typer.Typer, module: str) -> None:
    verb = import_module(f"study.cli._{module}")
    app.command(name=verb.NAME)(verb.command)


def main() -> None:
    """Run the command line."""
    write_what_can_be_written()
    try:
        _literal(get_group(application(sys.argv[1:])))()
    except SystemExit:
        raise  # the usual end; the next line loads packages
    except _known() as error:
        errors.print(styled(("error", "bold red"), f" {error}"))
        sys.exit(fail_code(error))
    except ModuleNotFoundError as error:
        if not (wanted := _requirement(error.name or "")):
            raise
        errors.print(
            styled(
                ("error", "bold red"),
                f" This needs the package {error.name}, which {sys.executable} does not find. "
                f"Install it: pip install '{wanted}'",
            )
        )
        sys.exit(2)
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


def _requirement(module: str) -> str:
    """What our distribution asks for by a module's name; empty if it does not."""
    from importlib.metadata import PackageNotFoundError, requires

    name = module.partition(".")[0]
    try:
        asked = requires("weighbridge") or []
    except PackageNotFoundError:  # a copy that nobody has installed
        return ""
    of_it = (part.partition(";")[0].strip() for part in asked)
    return next((part for part in of_it if re.split(r"[^\w]", part)[0] == name), "")


def _known() -> tuple[type[Exception], ...]:
    """Errors that say all there is to say; their packages are loaded when there is an error."""
    from search_spaces import SpaceError
    from storage import StorageError
    from study.errors import StudyError
    from trainers.errors import FolderMissing, NotReplaced
    from trainers.problems import ProblemError

    return StudyError, StorageError, SpaceError, ProblemError, FolderMissing, NotReplaced


def _literal(command: Any) -> Any:
    """The command with help texts that say `[budget]` where they say so, and no markup."""
    command.help = escape(command.help or "")
    for param in command.params:
        if getattr(param, "help", None):
            param.help = escape(param.help)
    for verb in getattr(command, "commands", {}).values():
        _literal(verb)
    return command
