"""How the command line looks: tables, notes, units."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.table import Table

from storage.records import AttemptLog, BadEnding
from storage.wording import counted, duration
from study.cli._console import console, errors, styled
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


def print_json(value: Any) -> None:
    """Machine-readable output: one JSON document and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def run_to_plain(one: AttemptLog | BadEnding) -> dict[str, Any]:
    """Which run it is, as JSON-ready values."""
    return {
        "run": one.run,
        "search": one.search,
        "trial": one.trial,
        "params": one.params,
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


def amount(value: float) -> str:
    """``1,234``, ``12.30``; below one, two digits that count."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if value >= 1 else f"{value:.2g}"


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
