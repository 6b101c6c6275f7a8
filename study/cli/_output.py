"""How the command line looks: consoles, tables, units."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from study.errors import BaselineMissing

_PIPE_COLUMNS = 160


class _Console(Console):
    def plain(self, text: str) -> str:
        """Text of a user, without markup of its own."""
        return escape(text)


def _width() -> int | None:
    """Terminals tell their width, ``COLUMNS`` overrules; pipes get room for the widest table."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_COLUMNS


console = _Console(width=_width())
errors = _Console(stderr=True, soft_wrap=True)


def fail_code(error: Exception) -> int:
    """Exit code of an error: 1 if runs have failed, 2 for bad input, where nothing could start."""
    return 1 if isinstance(error, BaselineMissing) else 2


def print_json(value: Any) -> None:
    """Machine-readable output: one JSON document and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def table(*columns: str, title: str | None = None, right: Iterable[str] = ()) -> Table:
    """A light table; columns in `right` hold numbers."""
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in set(right) else "left")
    return made


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 20 s``, ``5 h 12 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def amount(value: float) -> str:
    """``1,234``, ``12.30``; below one, two digits that count."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if value >= 1 else f"{value:.2g}"


def say_notices(sentences: Sequence[str], *, about: str = "") -> None:
    """What must be known of a study, one note a sentence."""
    for sentence in sentences:
        said = f"{about}: {sentence}" if about else sentence
        console.print(f"[yellow]note[/] {console.plain(said)}", highlight=False)


def next_step(text: str) -> None:
    """What a user would do now."""
    console.print(f"[dim]next:[/] {text}", highlight=False)
