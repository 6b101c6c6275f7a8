"""A table of the user's: a line of names, then a row a sample; commas, or tabs in a `.tsv`.

Shapes: N rows, F inputs, T targets.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import DataBroken
from trainers.problems.files.findings import Finding

Numbers = NDArray[np.float64]
_Line = tuple[int, Sequence[str]]
_MISSING = frozenset(("", "nan", "NaN", "NA"))
_MOST, _LEAST = (float(limit) for limit in (np.finfo("f4").max, np.finfo("f4").tiny))


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The numbers of a table.

    Attributes:
        names: Of the inputs.
        inputs: ``[N, F]``.
        targets: ``[N, T]``; NaN where a cell is empty.
    """

    names: tuple[str, ...]
    inputs: Numbers
    targets: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """Which columns of which file.

    Attributes:
        file: Path below `root`, which ends in ``.csv`` or ``.tsv``, and in ``.gz`` if it is packed.
        targets: Columns to be learned.
        inputs: Columns to learn from; none: all others.
        ignored: Columns that are left out, such as names of samples.
        rows: Number of samples.
        splits: Numbers of the rows of each split, from 0 on.
    """

    root: Path
    file: str
    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    ignored: tuple[str, ...]
    rows: int
    splits: Mapping[str, Sequence[int]] = field(compare=False)

    def read(self) -> Columns:
        """All numbers.

        Raises:
            DataBroken: The file is missing, torn, or holds what it must not.
        """
        found = self._parsed()
        if isinstance(found, Columns):
            return found
        raise DataBroken(str(found[0]))

    def findings(self, *, values: bool) -> Iterator[Finding]:  # noqa: ARG002 - a table is read whole
        """All that is wrong with the file."""
        found = self._parsed()
        if not isinstance(found, Columns):
            yield from found

    def _parsed(self) -> Columns | Sequence[Finding]:
        path = self.root / self.file
        if not path.is_file():
            return [
                Finding(
                    path=path,
                    expected="a table",
                    found="a folder" if path.exists() else "nothing",
                    way_out="Put it there, or say in `file` what it is called below `root`.",
                )
            ]
        found = _parsed(self, path.stat().st_mtime_ns)
        return [*_unknown(self, found)] or found if isinstance(found, Columns) else found


@lru_cache(maxsize=2)
def _parsed(of: TableFile, _changed_ns: int) -> Columns | Sequence[Finding]:
    path = of.root / of.file
    lines = _lines(path)
    if isinstance(lines, Finding):
        return [lines]
    names, rows = lines
    chosen = _chosen(of, path, names)
    if isinstance(chosen, Finding):
        return [chosen]
    if (wrong := _wrong_rows(of, path, names, rows)) is not None:
        return [wrong]
    found: list[Numbers] = []
    findings = []
    for name in (*chosen, *of.targets):
        at = names.index(name)
        cells = [(line, row[at].strip()) for line, row in rows]
        column = _numbers(path, name, cells, optional=name in of.targets)
        if isinstance(column, Finding):
            findings.append(column)
        else:
            found.append(column)
    if findings:
        return findings
    stacked = np.stack(found, axis=1)
    return Columns(
        names=chosen, inputs=stacked[:, : len(chosen)], targets=stacked[:, len(chosen) :]
    )


def _unknown(of: TableFile, columns: Columns) -> Iterator[Finding]:
    """Splits in which too few cells of a target are there to learn or to judge."""
    for at, name in enumerate(of.targets):
        for split, rows in of.splits.items():
            cells = columns.targets[[*rows], at]
            known = cells[~np.isnan(cells)]
            if len(known) == 0 or (split == "train" and known.min() == known.max()):
                differ = " that differ" if split == "train" else ""
                yield Finding(
                    path=of.root / of.file,
                    expected=f"values of `{name}`{differ} in the {split} rows",
                    found=f"{known[0]:g} alone" if len(known) else "none",
                    way_out="Take another `split_seed` or target, or hold out other numbers of "
                    "rows.",
                )


def _lines(path: Path) -> tuple[list[str], list[_Line]] | Finding:
    """Names of the columns, and rows of cells, each with the line of the file it begins in."""
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
        delimiter = "\t" if path.name.removesuffix(".gz").endswith(".tsv") else ","
        rows = [*_numbered(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        return Finding(
            path=path,
            expected="a table as text",
            found=str(error),
            way_out="Write it as UTF-8 again; a packed one ends in `.gz`.",
        )
    if len(rows) < 2:
        return Finding(
            path=path,
            expected="a line of names and rows below it",
            found=f"{len(rows)} lines",
            way_out="Write the table again.",
        )
    return [name.strip() for name in rows[0][1]], rows[1:]


def _numbered(reader: Any) -> Iterator[_Line]:
    """Rows of a reader of the csv module that are not empty; a row may have several lines."""
    before = 0
    for row in reader:
        if row:
            yield before + 1, row
        before = reader.line_num


def _chosen(of: TableFile, path: Path, names: Sequence[str]) -> tuple[str, ...] | Finding:
    """Names of the inputs."""
    twice = [name for at, name in enumerate(names) if name in names[:at] or not name]
    if twice:
        return Finding(
            path=path,
            expected="names of columns that differ in its first line",
            found=f"{twice[0]!r} twice" if twice[0] else "one without a name",
            way_out="Name each column.",
        )
    wanted = (*of.targets, *of.inputs, *of.ignored)
    if unknown := [name for name in wanted if name not in names]:
        return Finding(
            path=path,
            expected=f"a column `{unknown[0]}`",
            found=", ".join(names[:20]) + (" and more" if len(names) > 20 else ""),
            way_out="Correct `targets`, `inputs` or `ignored`; cells are parted by commas, or by "
            "tabs in a `.tsv`.",
        )
    rest = (name for name in names if name not in {*of.targets, *of.ignored})
    if not (chosen := of.inputs or tuple(rest)):
        return Finding(
            path=path,
            expected="a column to learn from",
            found="targets and what is ignored alone",
            way_out="Add columns of numbers.",
        )
    return chosen


def _wrong_rows(
    of: TableFile, path: Path, names: Sequence[str], rows: Sequence[_Line]
) -> Finding | None:
    for line, row in rows:
        if len(row) != len(names):
            return Finding(
                path=path,
                expected=f"{len(names)} cells in line {line:,}",
                found=f"{len(row)}",
                way_out="Write it again; a cell with a comma stands in quotes.",
            )
    if len(rows) != of.rows:
        return Finding(
            path=path,
            expected=f"{of.rows:,} rows",
            found=f"{len(rows):,}",
            way_out="Get the whole table, or say in `rows` how many it has.",
        )
    return None


def _numbers(
    path: Path, name: str, cells: Sequence[tuple[int, str]], *, optional: bool
) -> Numbers | Finding:
    """A column ``[N]`` of cells with their lines; an empty cell of a target is NaN."""
    found = np.empty(len(cells))
    for row, (line, cell) in enumerate(cells):
        found[row] = _number(cell)
        if not np.isfinite(found[row]) and not (optional and cell in _MISSING):
            return Finding(
                path=path,
                expected=f"a number in column `{name}` of line {line:,}",
                found=repr(cell[:40]),
                way_out="Write it as 1200 or 1.2e3, or leave the column out by `ignored`.",
            )
    known = found[~np.isnan(found)]
    if optional and (len(known) < 2 or known.min() == known.max()):
        return Finding(
            path=path,
            expected=f"values of `{name}` that differ",
            found=f"{known[0]:g} alone" if len(known) else "none",
            way_out="There is nothing to learn: take another target.",
        )
    return _out_of_scale(path, name, known, optional=optional) or found


def _number(cell: str) -> float:
    """NaN where it is none in plain digits; Python's own numbers may be 1_000 or of any script."""
    try:
        return float(cell) if cell.isascii() and "_" not in cell else np.nan
    except ValueError:
        return np.nan


def _out_of_scale(path: Path, name: str, known: Numbers, *, optional: bool) -> Finding | None:
    """Numbers that a network cannot be given, which computes in 32 bits."""
    low, high = float(known.min()), float(known.max())
    most = max(abs(low), abs(high))
    if most > _MOST:
        expected, is_found = f"at most {_MOST:.1e} in size", f"{most:g}"
    elif 0 < high - low < _LEAST or (optional and np.float32(low) == np.float32(high)):
        expected = "with differences that 32 bits can hold"
        is_found = f"{low:.17g} to {high:.17g}"
    else:
        return None
    return Finding(
        path=path,
        expected=f"numbers in column `{name}` {expected}",
        found=is_found,
        way_out="Give the column another unit, or measure it from another zero.",
    )
