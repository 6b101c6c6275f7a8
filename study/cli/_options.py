"""Arguments and options that several verbs share; and those of a command, to be typed again."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Final

import typer

from storage import without_password
from storage.amounts import Kind, read_amount
from study.commands import DEFAULT_STORAGE, STORAGE_VARIABLE
from study.errors import BadSpec

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
_LIMITS: Final[Sequence[Kind]] = ("device_s", "wall_s", "trials", "epochs", "money")
_APART = ("storage",)  # `study.commands` says when it is needed, and keeps its password


def ask(question: str, *, yes: bool) -> None:
    """Go on if the answer is yes, or was given beforehand; else end the command as interrupted.

    Raises:
        Exit: The answer is no, or there is none.
    """
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
        line_ended = sys.stdin.isatty()  # who answers in a terminal has ended the line
    except typer.Abort:  # Ctrl-C, or nobody is there to answer
        agreed = line_ended = False
    if not agreed:
        typer.echo("" if line_ended else "\n", nl=False, err=True)
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(130)


def limits_of_words(given: Sequence[str]) -> dict[str, float]:
    """``["epochs=900", "8h"]`` as limits by name.

    Raises:
        BadAmount: One is none.
        BadSpec: One is there twice.
    """
    limits: dict[str, float] = {}
    texts: dict[str, str] = {}
    for text in given:
        name, amount = read_amount(text, of=_LIMITS)
        if name in limits:
            raise BadSpec(
                f"A limit is set once in a command. Got {texts[name]} and {text}. "
                "Leave out all but one."
            )
        limits[name], texts[name] = amount, text
    return limits


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
            yield from (param.opts[-1], without_password(str(part)))
