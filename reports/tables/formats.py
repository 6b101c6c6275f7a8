"""The formats in which a table is written."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reports._whole_file import writable, write_whole
from reports.errors import UnknownFormat
from reports.tables.cells_csv import cells_csv
from reports.tables.latex import latex
from reports.tables.markdown import markdown
from reports.tables.method_table import MethodTable

_FORMATS: Final[Mapping[str, Callable[[MethodTable], str]]] = {
    "latex": latex,
    "markdown": markdown,
    "csv": cells_csv,
}
"""By name; ``csv`` has one row a cell, the others one a method."""
_SUFFIXES: Final[Mapping[str, str]] = {".tex": "latex", ".csv": "csv"}


def format_of_file(path: str | os.PathLike[str] | None) -> str:
    """The format that a file's suffix asks for; ``markdown`` for any other, and for no file."""
    return "markdown" if path is None else _SUFFIXES.get(Path(path).suffix.lower(), "markdown")


def rendered(table: MethodTable, *, format: str) -> str:
    """The table as text.

    Args:
        format: ``latex``, ``markdown`` or ``csv``.

    Raises:
        UnknownFormat: It is another one.
    """
    if format not in _FORMATS:
        raise UnknownFormat(
            f"A table is written as {', '.join(_FORMATS)}. Got {format!r}. Name one of them."
        )
    return _FORMATS[format](table)


def write_table(text: str, path: str | os.PathLike[str]) -> None:
    """Write a table into a file, in UTF-8.

    Raises:
        MissingFolder: The folder of `path` does not exist.
        NotAFile: A folder or a device is there.
        NotWritten: The system refuses it.
    """
    target = writable(path, what="A table")
    write_whole(target, lambda aside: _write(text, aside))


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
