"""The command in progress, to be typed once more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import typer

_APART = ("storage",)  # `study.commands` says when it is needed, and keeps its password


def again(context: typer.Context, *, without: Collection[str] = ()) -> list[str]:
    """The verb with its argument and the options that were given, as words.

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
