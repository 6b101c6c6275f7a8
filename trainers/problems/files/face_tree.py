"""CelebA as its authors give it away: aligned faces, 40 attributes of each, and an official split.

``img_align_celeba/000001.jpg`` of 178x218 pixels; ``list_attr_celeba.txt``: how many, the names of
the attributes, then a line a face with 1 or -1 for each; ``list_eval_partition.txt``: a line a face
with 0 (training), 1 (validation) or 2 (test).

Shapes: N faces, A attributes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import DataBroken
from trainers.problems.files.face_lists import (
    ATTRIBUTES_FILE,
    PARTITION_FILE,
    ListBroken,
    attributes_of,
    partition_of,
)
from trainers.problems.files.findings import Finding, no_folder
from trainers.problems.files.pictures import picture_of, wrong_picture
from trainers.problems.files.samples import Arrays, ArraySpec

FOLDER = "img_align_celeba"
WIDTH, HEIGHT = 178, 218
_AGAIN = "Copy it again from where the set came from."


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceTree:
    """A folder of faces and two lists of them.

    Attributes:
        size: Side that faces are shrunk to, in pixels.
        attributes: Those that are read.
        n_samples: Faces of ``train``, ``validation`` and ``test``.
    """

    root: Path
    size: int
    attributes: tuple[str, ...]
    n_samples: Mapping[str, int]

    @property
    def arrays(self) -> Mapping[str, ArraySpec]:
        """``image [3, size, size]`` in bytes, and 1 or 0 for each attribute."""
        labels = dict.fromkeys(self.attributes, ArraySpec((), "<f4"))
        return {"image": ArraySpec((3, self.size, self.size), "|u1"), **labels}

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Such as ``000001.jpg``.

        Raises:
            DataBroken: The list of splits is missing, or no such list.
        """
        try:
            return _partition(*_known(self.root / PARTITION_FILE))
        except ListBroken as error:
            raise DataBroken(str(error.finding)) from error

    def files(self, name: str) -> Sequence[str]:
        """Such as ``img_align_celeba/000001.jpg``."""
        return [f"{FOLDER}/{name}"]

    def read(self, name: str, into: Arrays) -> None:
        """Read a face.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        path = self.root / FOLDER / name
        try:
            rows, table = _attributes(*_known(self.root / ATTRIBUTES_FILE))
            picture = picture_of(path, (WIDTH, HEIGHT), shrunk_to=(self.size, self.size))
        except ListBroken as error:
            raise DataBroken(str(error.finding)) from error
        except (OSError, ValueError) as error:
            raise DataBroken(f"{path} cannot be read: {error}. {_AGAIN}") from error
        into["image"][...] = picture.transpose(2, 0, 1)
        row = table.values[rows[name]]
        for attribute in self.attributes:
            into[attribute][...] = row[table.columns[attribute]]

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files."""
        if no_root := no_folder(self.root, f"Give the folder that has `{FOLDER}` as `root`."):
            yield no_root
            return
        split: Mapping[str, Sequence[str]] = {}
        try:
            split = _partition(*_known(self.root / PARTITION_FILE))
            yield from self._of_sizes(split)
        except ListBroken as error:
            yield error.finding
        listed = {name for names in split.values() for name in names}
        try:
            rows, table = _attributes(*_known(self.root / ATTRIBUTES_FILE))
            yield from self._of_attributes(rows, table.columns, listed)
            yield from self._alike(rows, table, split.get("train", ()))
        except ListBroken as error:
            yield error.finding
        yield from self._of_folder(listed, values=values)

    def _of_sizes(self, split: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
        for name, n in self.n_samples.items():
            if len(split[name]) != n:
                yield Finding(
                    path=self.root / PARTITION_FILE,
                    expected=f"{n:,} faces of {name}",
                    found=f"{len(split[name]):,}",
                    way_out="Get the whole list, or say in the options how many there are.",
                )

    def _of_attributes(
        self, rows: Mapping[str, int], columns: Mapping[str, int], listed: set[str]
    ) -> Iterator[Finding]:
        path = self.root / ATTRIBUTES_FILE
        if unknown := [name for name in self.attributes if name not in columns]:
            yield Finding(
                path=path,
                expected=f"an attribute {unknown[0]}",
                found=f"{len(columns)} others",
                way_out="Take the list of CelebA's 40 attributes, or fewer `attributes`.",
            )
        if without := listed - rows.keys():
            yield Finding(
                path=path,
                expected=f"a line of {min(without)}, as the list of splits has",
                found=f"none, as of {len(without):,} faces",
                way_out="Get both lists again, of the same faces.",
            )

    def _alike(
        self, rows: Mapping[str, int], table: _Table, train: Sequence[str]
    ) -> Iterator[Finding]:
        """Attributes that all faces to train on have, or none: there is nothing to learn."""
        values = table.values[[rows[name] for name in train if name in rows]]
        for name in self.attributes:
            column = table.columns.get(name)
            if column is None or not len(values):
                continue
            share = float(values[:, column].mean())
            if share in (0.0, 1.0):
                yield Finding(
                    path=self.root / ATTRIBUTES_FILE,
                    expected=f"faces with and without {name} among those to train on",
                    found=f"{len(values):,} {'with' if share else 'without'} it",
                    way_out="Get the list again, or leave it out of `attributes`.",
                )

    def _of_folder(self, listed: set[str], *, values: bool) -> Iterator[Finding]:
        folder = self.root / FOLDER
        if not folder.is_dir():
            packed = folder.with_suffix(".zip").exists()
            yield Finding(
                path=folder,
                expected="a folder of faces",
                found="a file" if folder.exists() else "nothing",
                way_out=f"Unpack {FOLDER}.zip there." if packed else "Get and unpack it.",
            )
            return
        sizes = {entry.name: _size(entry) for entry in os.scandir(folder)}
        if missing := listed - sizes.keys():
            yield Finding(
                path=folder / min(missing),
                expected="a face, as of all that are listed",
                found=f"nothing, as of {len(missing):,} of them",
                way_out="Unpack the set again.",
            )
        for name in sorted(listed & sizes.keys()):
            path = folder / name
            if not sizes[name]:
                yield Finding(path=path, expected="a picture", found="nothing", way_out=_AGAIN)
            elif values and (wrong := wrong_picture(path, (WIDTH, HEIGHT))) is not None:
                yield wrong


def _size(entry: os.DirEntry[str]) -> int:
    """In bytes; 0 of a link to nothing."""
    try:
        return entry.stat().st_size
    except OSError:
        return 0


@dataclass(frozen=True, slots=True)
class _Table:
    """Values ``[N, A]`` of attributes, and the column of each."""

    columns: Mapping[str, int]
    values: NDArray[np.bool_]


def _known(path: Path) -> tuple[Path, int]:
    """A file, and when it was last changed.

    Raises:
        ListBroken: There is none.
    """
    if not path.is_file():
        raise ListBroken(
            Finding(
                path=path,
                expected="the list of that name",
                found="a folder" if path.exists() else "nothing",
                way_out="Copy CelebA's lists beside its folder of faces.",
            )
        )
    return path, path.stat().st_mtime_ns


@lru_cache(maxsize=4)
def _partition(path: Path, _changed_ns: int) -> Mapping[str, Sequence[str]]:
    return partition_of(path)


@lru_cache(maxsize=4)
def _attributes(path: Path, _changed_ns: int) -> tuple[Mapping[str, int], _Table]:
    """Row of each face, and what is in them."""
    names, faces, values = attributes_of(path)
    twice = [name for name, n in Counter(faces).items() if n > 1]
    if twice:
        raise ListBroken(
            Finding(
                path=path,
                expected="each face once",
                found=f"{twice[0]} twice",
                way_out=_AGAIN,
            )
        )
    rows: dict[str, Any] = {name: row for row, name in enumerate(faces)}
    return rows, _Table({name: column for column, name in enumerate(names)}, values)
