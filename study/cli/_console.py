"""The two consoles: text is shown as it is, on any terminal.

Names, parameters, paths and errors come from users: square brackets are no markup, ``:smile:`` is
no picture, control characters do not reach the terminal, and what its encoding lacks is rewritten.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

_PIPE_COLUMNS = 160
_HANDLER = "weighbridge.near"
# what we write ourselves, for terminals that have ASCII or Latin-1 only
_NEAR = {
    "–": "-",
    "—": "-",
    "·": ".",
    "→": ">",
    "↓": "v",
    "↑": "^",
    "≤": "<=",
    "≥": ">=",
    "±": "+-",
    "×": "x",
    "−": "-",
    "Δ": "delta ",
    "“": '"',
    "”": '"',
    "’": "'",
    "…": "...",
}
# all but tab and line feed, so that no text of a user steers the terminal; those of Unicode would
# turn the rest of a line around, or break it
_CONTROLS = dict.fromkeys(
    [
        *(*range(9), *range(11, 32), *range(127, 160)),
        *(0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)),
    ]
)
_SIZES = ("COLUMNS", "LINES", "TERMINAL_WIDTH")
_A_SIZE = re.compile("[1-9][0-9]{0,3}")


class _Literal(Console):
    """A console whose texts have no markup; styles are given beside them."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text without control characters."""
        return super().render_str(text.translate(_CONTROLS), **options)


def _forget_odd_sizes() -> None:
    """What can be no terminal's size was not said: by it, nothing would be printed, or all break.

    Some terminals without a size say that it is 0.
    """
    for name in _SIZES:
        if _A_SIZE.fullmatch(os.environ.get(name, "1")) is None:
            del os.environ[name]


def _width() -> int | None:
    """Terminals tell their width, ``COLUMNS`` overrules; pipes get room for the widest table."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return None if is_terminal or "COLUMNS" in os.environ else _PIPE_COLUMNS


_forget_odd_sizes()
console = _Literal(width=_width(), markup=False, emoji=False, highlight=False)
errors = _Literal(stderr=True, soft_wrap=True, markup=False, emoji=False, highlight=False)


def styled(*parts: str | tuple[str, str]) -> Text:
    """One text; a part that is a pair has a style, such as ``("digits", "bold")``."""
    pairs = (part if isinstance(part, tuple) else (part, "") for part in parts)
    return Text.assemble(*((text.translate(_CONTROLS), style) for text, style in pairs))


def write_what_can_be_written() -> None:
    """Let no character end a command because the terminal's encoding lacks it."""
    codecs.register_error(_HANDLER, _near)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _near(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_NEAR.get(char, _escaped(char)) for char in lacking), error.end


def _escaped(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode("ascii")
