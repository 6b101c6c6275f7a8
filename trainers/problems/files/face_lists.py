"""CelebA's two lists: attributes of each face, and which split it is of.

Shapes: N faces, A attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from trainers.problems.files.findings import Finding

ATTRIBUTES_FILE = "list_attr_celeba.txt"
PARTITION_FILE = "list_eval_partition.txt"
_SPLITS = {"0": "train", "1": "validation", "2": "test"}
_AGAIN = "Copy it again from where the set came from."


class ListBroken(Exception):
    """A list is missing, torn, or another file.

    Attributes:
        finding: What is wrong.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def partition_of(path: Path) -> Mapping[str, Sequence[str]]:
    """Names of the faces of each split, in their order.

    Raises:
        ListBroken: It is missing, torn, or another file.
    """
    found: dict[str, list[str]] = {split: [] for split in _SPLITS.values()}
    seen: set[str] = set()
    for number, line in enumerate(_text(path).splitlines(), start=1):
        name, _, split = line.strip().partition(" ")
        if split.strip() not in _SPLITS:
            _refuse(path, f"a face and 0, 1 or 2 in line {number:,}", repr(line[:60]))
        if name in seen:
            _refuse(path, "each face once", f"{name} again in line {number:,}")
        if "/" in name or "\\" in name:
            _refuse(path, f"the name of a file in line {number:,}", repr(name[:60]))
        seen.add(name)
        found[_SPLITS[split.strip()]].append(name)
    return found


def attributes_of(path: Path) -> tuple[Sequence[str], Sequence[str], NDArray[np.bool_]]:
    """Names of the attributes, names of the faces, and which ``[N, A]`` they have.

    Raises:
        ListBroken: It is missing, torn, or another file.
    """
    first, _, rest = _text(path).partition("\n")
    heading, _, body = rest.partition("\n")
    names = heading.split()
    if not first.strip().isdecimal() or int(first) < 1:
        _refuse(path, "the number of faces in line 1", repr(first[:60]))
    if not names or len(set(names)) < len(names) or {*names} & {"1", "-1"}:
        _refuse(path, "names of attributes that differ in line 2", repr(heading[:60]))
    faces, values = _rows(path, body, len(names))
    if len(faces) != int(first):
        _refuse(path, f"{int(first):,} faces, by line 1", f"{len(faces):,}")
    return names, faces, values


def _rows(path: Path, body: str, n_names: int) -> tuple[list[str], NDArray[np.bool_]]:
    """Faces, and values ``[N, A]``; a list of 200,000 is gone through by NumPy."""
    text = np.frombuffer(b" " + body.encode(errors="replace") + b" ", np.uint8)
    blank = text <= ord(" ")
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    lines = np.flatnonzero(text == ord("\n"))
    in_line = np.bincount(np.searchsorted(lines, starts), minlength=len(lines) + 1)
    wrong = np.flatnonzero((in_line != n_names + 1) & (in_line > 0))
    if len(wrong):
        n_found = int(in_line[wrong[0]]) - 1
        _refuse(path, f"{n_names} values in line {wrong[0] + 3:,}", f"{n_found}")
    cells = (starts.reshape(-1, n_names + 1), ends.reshape(-1, n_names + 1))
    first, length = text[cells[0]], cells[1] - cells[0]
    last = text[cells[1] - 1]
    no = (first == ord("-")) & (length == 2)
    known = (last == ord("1")) & (no | (length == 1))
    known[:, 0] = True
    if not known.all():
        row, column = np.argwhere(~known)[0]
        shown = text[cells[0][row, column] : cells[1][row, column]].tobytes().decode()
        _refuse(path, f"1 or -1 of {_name(text, cells, int(row))}", repr(shown[:60]))
    faces = [_name(text, cells, row) for row in range(len(first))]
    return faces, ~no[:, 1:]


def _name(
    text: NDArray[np.uint8], cells: tuple[NDArray[np.intp], NDArray[np.intp]], row: int
) -> str:
    return text[cells[0][row, 0] : cells[1][row, 0]].tobytes().decode(errors="replace")


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path, "a list as text", str(error))
    if not text.strip():
        _refuse(path, "a list", "nothing")
    return text


def _refuse(path: Path, expected: str, found: str) -> NoReturn:
    raise ListBroken(Finding(path=path, expected=expected, found=found, way_out=_AGAIN))
