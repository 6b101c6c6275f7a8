"""Lists of fundus photos: Kaggle's table of levels, and DiaretDB1's files of photos and markings.

Kaggle's table has the columns ``image`` (a name without its ending, such as ``10_left``) and
``level``, 0 to 4. A line of DiaretDB1's lists has a photo, then the files in which one expert each
has marked what is seen on it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from trainers.problems.files.face_lists import ListBroken
from trainers.problems.files.findings import Finding

LEVELS = range(5)
"""From no retinopathy to a proliferative one."""
_AGAIN = "Copy it again from where the set came from."


def levels_of(path: Path) -> Mapping[str, int]:
    """The level of each photo, by its name without an ending, in the order of the table.

    Raises:
        ListBroken: It is missing, torn, or another file.
    """
    return _levels(path, _changed_ns(path, "Kaggle's table of levels"))


def experts_of(path: Path) -> Mapping[str, Sequence[str]]:
    """The files of markings of each photo, all below the list's folder.

    Raises:
        ListBroken: It is missing, torn, or another file.
    """
    return _experts(path, _changed_ns(path, "DiaretDB1's list of photos and markings"))


def broken(path: Path, expected: str, found: str, way_out: str = _AGAIN) -> NoReturn:
    """Say what is wrong with a list, or a file that it names.

    Raises:
        ListBroken: Always.
    """
    raise ListBroken(Finding(path=path, expected=expected, found=found, way_out=way_out))


def _changed_ns(path: Path, what: str) -> int:
    if not path.is_file():
        broken(
            path,
            what,
            "a folder" if path.exists() else "nothing",
            "Copy it there, or give another `root`.",
        )
    return path.stat().st_mtime_ns


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        broken(path, "a list as text", str(error))
    if not text.strip():
        broken(path, "a list", "nothing")
    return text


@lru_cache(maxsize=4)
def _levels(path: Path, _changed: int) -> Mapping[str, int]:
    rows = csv.reader(io.StringIO(_text(path), newline=""))
    names = [name.strip() for name in next(rows)]
    for column in ("image", "level"):
        if names.count(column) != 1:
            broken(
                path,
                f"a column `{column}`",
                ", ".join(names)[:80],
                "Take the table of training labels, whose first line is image,level.",
            )
    found: dict[str, int] = {}
    for row in rows:
        if not row:
            continue
        if len(row) != len(names):
            broken(path, f"{len(names)} cells in line {rows.line_num:,}", f"{len(row)}")
        name, level = (row[names.index(column)].strip() for column in ("image", "level"))
        _check_name(path, name, rows.line_num)
        if name in found:
            broken(path, "each photo once", f"{name} again in line {rows.line_num:,}")
        if level not in map(str, LEVELS):
            broken(
                path,
                f"a level from 0 to {max(LEVELS)} in line {rows.line_num:,}",
                repr(level[:40]),
                "Correct it, or drop the photo.",
            )
        found[name] = int(level)
    if not found:
        broken(path, "photos below its first line", "none")
    return found


def _check_name(path: Path, name: str, line: int) -> None:
    if not name or "/" in name or "\\" in name:
        broken(path, f"the name of a photo in line {line:,}", repr(name[:60]))


@lru_cache(maxsize=4)
def _experts(path: Path, _changed: int) -> Mapping[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        photo, *markings = line.split()
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in (photo, *markings)):
            broken(path, f"paths below its folder in line {number}", repr(line[:60]))
        if not markings or not all(name.endswith(".xml") for name in markings):
            broken(
                path,
                f"a photo and files of markings that end in .xml in line {number}",
                repr(line[:60]),
            )
        if len(set(markings)) < len(markings):
            broken(path, "each expert's file once", f"one twice in line {number}")
        if photo in found:
            broken(path, "each photo once", f"{photo} again in line {number}")
        found[photo] = markings
    return found
