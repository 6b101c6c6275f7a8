"""How the command line looks: tables, notes, units."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import Any

from rich import box
from rich.table import Table

from storage.records import AttemptLog, BadEnding
from storage.wording import amount, counted, duration
from study.cli._console import console, errors, styled
from study.cli._documents import FORMAT, Document
from study.commands import command_line
from study.errors import BaselineMissing

__all__ = [
    "amount",
    "console",
    "counted",
    "duration",
    "errors",
    "fail_code",
    "file_size",
    "json_alone",
    "next_act",
    "next_step",
    "note",
    "print_json",
    "run_to_plain",
    "say",
    "say_notices",
    "styled",
    "table",
]


def fail_code(error: Exception) -> int:
    """Exit code of an error: 1 if runs have failed, 2 for bad input, where nothing could start."""
    return 1 if isinstance(error, BaselineMissing) else 2


def print_json(document: Document, value: Mapping[str, Any], *, on_a_line: bool = False) -> None:
    """Machine-readable output: one JSON document and nothing else.

    Args:
        document: Which one, as its shape in `study.cli.shapes` is called.
        on_a_line: And at once, as others follow.
    """
    told = {"format": FORMAT, "document": document, **value}
    text = json.dumps(told, indent=None if on_a_line else 2, allow_nan=False)
    sys.stdout.write(f"{text}\n")
    if on_a_line:
        sys.stdout.flush()


def json_alone(as_json: bool) -> AbstractContextManager[object]:
    """What code of a user prints while it is imported is no part of the JSON."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def run_to_plain(one: AttemptLog | BadEnding) -> dict[str, Any]:
    """Which run it is, as JSON-ready values."""
    return {
        "run": one.run,
        "search": one.search,
        "trial": one.trial,
        "params": json.loads(one.params),
        "seed": one.seed,
    }


def say(*parts: str | tuple[str, str]) -> None:
    """Print one line; a part that is a pair has a style, such as ``("digits", "bold")``."""
    console.print(styled(*parts))


def note(sentence: str) -> None:
    """Something that a user should know."""
    say(("note", "yellow"), f" {sentence}")


def table(*columns: str, title: str | None = None, right: Iterable[str] = ()) -> Table:
    """A light table; columns in `right` hold numbers."""
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for column in columns:
        number = column in set(right)  # words give way first
        made.add_column(column, justify="right" if number else "left", no_wrap=number)
    return made


def file_size(n_bytes: int) -> str:
    """``812 kB``, ``4.9 MB``."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{max(n_bytes // 1000, 1)} kB"


def say_notices(sentences: Sequence[str], *, about: str = "") -> None:
    """What must be known of a study, one note a sentence."""
    for sentence in sentences:
        note(f"{about}: {sentence}" if about else sentence)


def next_step(*words: str, storage: str | None = None, why: str = "") -> None:
    """What a user would type now; see `study.commands.command_line`."""
    _advise(command_line(*words, storage=storage), why)


def next_act(sentence: str) -> None:
    """What a user would do now, where it is no command of ours."""
    _advise(sentence)


def _advise(what: str, why: str = "") -> None:
    # never wrapped: the line is there to be copied
    console.print(
        styled(("next:", "dim"), f" {what}", f"   ({why})" if why else ""), soft_wrap=True
    )
