"""The text of a spec: read from a file, and taken apart; what cannot be is refused at once."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from study.errors import BadSpec

MOST_NESTED = 32
"""Tables and lists within each other: more than any study has, fewer than any reader minds."""

_MOST_BYTES = 2**20
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*\.[ \t]*){{{MOST_NESTED}}}")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def text_of(path: Path) -> str:
    """The text of a file in UTF-8, without a byte-order mark.

    Raises:
        BadSpec: It cannot be read, is no file of text, or far too long.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind in _KINDS:  # a pipe may never end
            raise BadSpec(
                f"A spec is a TOML file. Got {path}, which is {_KINDS[kind]}. Name a file."
            )
        with path.open("rb") as file:
            read = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadSpec(
            f"Cannot read the spec {path}: {error.strerror}. Name a TOML file that is there."
        ) from error
    if len(read) > _MOST_BYTES:
        raise BadSpec(
            f"A spec has at most {_MOST_BYTES:,} bytes. Got more in {path}. "
            "Name another file, or write ranges in the place of long lists."
        )
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSpec(
            f"{path} is not text in UTF-8: {error.reason} at byte {error.start}. "
            "Save it as UTF-8, or name another file."
        ) from error


def plain_of(text: str, *, source: str) -> Mapping[str, Any]:
    """The values of a TOML text; `source` names it in messages.

    Raises:
        BadSpec: It is not TOML, or nested without end.
    """
    bare = _QUOTED.sub("s", text)
    depths = accumulate(_STEPS.get(char, 0) for char in bare)
    # before it is parsed, which takes the square of the depth in time, and the stack
    if max(depths, default=0) > MOST_NESTED or _LONG_KEY.search(bare):
        raise BadSpec(
            f"Tables and lists may lie {MOST_NESTED} deep in each other. Got more in {source}. "
            "Flatten them."
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSpec(f"{source} is not valid TOML: {error}. Mend that place.") from error
    except ValueError as error:  # of whole numbers with thousands of digits
        raise BadSpec(
            f"{source} holds a number that is too long: {error}. Write it with fewer digits."
        ) from error
