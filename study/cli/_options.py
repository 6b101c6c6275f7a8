"""Arguments and options that several verbs share; and those of a command, to be typed again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any

import typer

from study.commands import DEFAULT_STORAGE, STORAGE_VARIABLE

Study = Annotated[str, typer.Argument(metavar="STUDY", help="TOML file, stored study, or preset.")]
Studies = Annotated[
    list[str],
    typer.Argument(
        metavar="STUDY",
        help="TOML file, stored study, or preset; DATABASE::NAME is a stored study of another "
        "database, by its URL or file. Several studies are compared with each other.",
    ),
]
StorageUrl = Annotated[
    str,
    typer.Option(
        "--storage",
        envvar=STORAGE_VARIABLE,
        metavar="URL",
        help="Study database, SQLite or PostgreSQL.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without a question.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

STORAGE = DEFAULT_STORAGE
_APART = ("storage",)  # `study.commands` says when it is needed, and keeps its password


def ask(question: str, *, yes: bool) -> None:
    """Go on if the answer is yes, or was given beforehand; else end the command."""
    if not yes:
        typer.confirm(question, abort=True, err=True)


def again(context: typer.Context, *, without: Collection[str] = ()) -> list[str]:
    """The command in progress as words: its verb, argument and the options that were given.

    Args:
        without: Parameters that are for one time only.
    """
    given = [
        param
        for param in context.command.params
        if param.name not in (*_APART, *without) and _is_given(context, param.name)
    ]
    words = [word for param in given for word in _words(param, context.params[param.name or ""])]
    return [context.info_name or "", *words]


def _is_given(context: typer.Context, name: str | None) -> bool:
    source = context.get_parameter_source(name or "")
    return source is not None and source.name == "COMMANDLINE"


def _words(param: Any, value: object) -> Iterator[str]:
    if param.param_type_name == "argument":
        yield str(value)
    elif isinstance(value, bool):
        yield (param.opts if value else param.secondary_opts)[0]
    else:
        for part in value if isinstance(value, list | tuple) else (value,):
            yield from (param.opts[-1], str(part))
