"""Which SQLite files of this process keep a write-ahead log, without a look into them.

Whoever opens such a file and closes it again, to look into it, ends the locks that SQLite has on it
in the same process (https://www.sqlite.org/howtocorrupt.html, 2.2). Another process then takes
itself for the last one that uses it, and removes the log, with all that is written from then on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_MODE_AT: Final = 18  # in the header, https://www.sqlite.org/fileformat.html
_WAL_MODE: Final = 2
_KNOWN: Final[set[tuple[int, int]]] = set()


def note_log(path: str | Path) -> None:
    """Note that we have a file open which keeps such a log."""
    found = os.stat(path)
    _KNOWN.add((found.st_dev, found.st_ino))


def keeps_log(path: Path) -> bool:
    """Whether a file keeps such a log; one that is not known is looked into, once.

    Raises:
        OSError: It is not there, or cannot be read.
    """
    found = path.stat()
    if (found.st_dev, found.st_ino) in _KNOWN:
        return True
    with path.open("rb") as file:
        header = file.read(_MODE_AT + 1)
    if header[_MODE_AT:] != bytes([_WAL_MODE]):
        return False
    note_log(path)
    return True
