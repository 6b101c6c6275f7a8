"""IDX files of MNIST and FashionMNIST, gzipped or not, with or without torchvision's folders.

A header of big-endian whole numbers (two zeros, 8 for bytes, how many dimensions, their sizes),
then the bytes. Names end in ``-idx3-ubyte``, as LeCun's archives have them, or ``.idx3-ubyte``.

Shapes: D digits of side d.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import DataBroken
from trainers.problems.files.findings import Finding, no_folder
from trainers.problems.files.split import Names

Bytes = NDArray[np.uint8]
_SPLITS = {"train": "train", "test": "t10k"}
_KINDS = {"images": 3, "labels": 1}
_AGAIN = "Copy it again from where the set came from."
_GZIPPED = b"\x1f\x8b"
_HEAD = 16  # bytes: the longest header
N_CLASSES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class IdxSet:
    """Four files: images and labels of training and of test.

    Attributes:
        root: The folder that was given.
        folders: Below it where the files may be, too.
        side: Of an image in pixels.
        n_samples: Samples of ``train`` and ``test``.
        splits: Names ``train/5`` of the samples of each split, numbered in their file from 0 on.
    """

    root: Path
    folders: tuple[str, ...]
    side: int
    n_samples: Mapping[str, int]
    splits: Names

    @property
    def paths(self) -> Mapping[tuple[str, str], Path]:
        """Split and kind to the file that has them, or to where it should be."""
        return {(split, kind): self._path(split, kind) for split in _SPLITS for kind in _KINDS}

    def read(self, split: str) -> tuple[Bytes, Bytes]:
        """Images ``[D, d, d]`` and labels ``[D]``, uint8.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        found = []
        for kind in _KINDS:
            path, shape = self._path(split, kind), self._shape(split, kind)
            content = _content(path)
            wrong = content if isinstance(content, Finding) else _wrong(path, content, shape)
            if isinstance(wrong, Finding) or isinstance(content, Finding):
                raise DataBroken(str(wrong))
            found.append(np.frombuffer(content, np.uint8, offset=_n_header(shape)).reshape(shape))
        images, labels = found
        return images, labels

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files; without `values` of images only headers and sizes."""
        whole = True
        for finding in self._broken(values=values):
            whole = False
            yield finding
        if whole:
            yield from self._lacking()

    def _broken(self, *, values: bool) -> Iterator[Finding]:
        if no_root := no_folder(
            self.root, "Give the folder that has `train-images-idx3-ubyte` as `root`."
        ):
            yield no_root
            return
        for (split, kind), path in self.paths.items():
            if not path.is_file():
                yield Finding(
                    path=path,
                    expected="an IDX file, gzipped as `.gz` or not",
                    found="a folder" if path.exists() else "nothing",
                    way_out="Copy all four files there, or give another `root`.",
                )
                continue
            shape = self._shape(split, kind)
            content = _content(path) if values else _ends(path)
            if isinstance(content, Finding):
                yield content
            elif (wrong := _wrong(path, content, shape)) is not None:
                yield wrong

    def _lacking(self) -> Iterator[Finding]:
        """Splits without any sample of a class."""
        for split, names in self.splits.items():
            source = names[0].partition("/")[0]
            path = self._path(source, "labels")
            content = _content(path)
            if isinstance(content, Finding):
                yield content
                continue
            labels = content[_n_header(self._shape(source, "labels")) :]
            there = {labels[int(name.partition("/")[2])] for name in names}
            if lacking := [label for label in range(N_CLASSES) if label not in there]:
                yield Finding(
                    path=path,
                    expected=f"all of {N_CLASSES} classes in the {split} split",
                    found=f"none of class {', '.join(map(str, lacking))} in {len(names):,} samples",
                    way_out="Use more pictures, or another `validation_samples` or `split_seed`.",
                )

    def _path(self, split: str, kind: str) -> Path:
        stem, ending = f"{_SPLITS[split]}-{kind}", f"idx{_KINDS[kind]}-ubyte"
        places = [
            self.root / folder / f"{stem}{mark}{ending}{packed}"
            for folder in ("", *self.folders)
            for mark in "-."
            for packed in ("", ".gz")
        ]
        return next((path for path in places if path.is_file()), places[0])

    def _shape(self, split: str, kind: str) -> tuple[int, ...]:
        n = self.n_samples[split]
        return (n, self.side, self.side) if kind == "images" else (n,)


@dataclass(frozen=True, slots=True)
class _Ends:
    """The first bytes of a file, and how many it has once it is unpacked."""

    head: bytes
    size: int


def _wrong(path: Path, content: bytes | _Ends, shape: tuple[int, ...]) -> Finding | None:
    """What is wrong with a file that should have an array of this shape; None if nothing is."""
    head, size = (
        (content, len(content)) if isinstance(content, bytes) else (content.head, content.size)
    )
    n_header, magic = _n_header(shape), bytes([0, 0, 8, len(shape)])
    n_bytes = math.prod(shape)
    if head[:2] == _GZIPPED:
        return Finding(
            path=path,
            expected="a file that is not packed, by its name",
            found="one that is",
            way_out="Add `.gz` to its name, or unpack it.",
        )
    if head[:4] != magic:
        return Finding(
            path=path,
            expected=f"{len(shape)} dimensions of bytes: an IDX file that begins with "
            f"{magic.hex(' ')}",
            found=head[:4].hex(" ") or "an empty file",
            way_out="Take the file of this name of the set; images and labels may be swapped.",
        )
    if len(head) >= n_header and (sizes := _sizes(head, len(shape))) != [*shape]:
        return Finding(
            path=path,
            expected=f"sizes {[*shape]} in its header",
            found=str(sizes),
            way_out="Take the files of the whole set; those of training and test may be swapped.",
        )
    if size != n_header + n_bytes:
        return Finding(
            path=path,
            expected=f"{n_header + n_bytes:,} bytes once it is unpacked",
            found=f"{size:,}",
            way_out=_AGAIN,
        )
    return _wrong_values(path, content[n_header:], shape) if isinstance(content, bytes) else None


def _wrong_values(path: Path, body: bytes, shape: tuple[int, ...]) -> Finding | None:
    labels = len(shape) == 1
    if labels and (most := max(body)) >= N_CLASSES:
        return Finding(
            path=path,
            expected=f"classes from 0 to {N_CLASSES - 1}",
            found=str(most),
            way_out="Take the labels of this set; others of this format have more classes.",
        )
    if labels and len(set(body)) < N_CLASSES:
        return Finding(
            path=path,
            expected=f"all of {N_CLASSES} classes",
            found=f"{len(set(body))} of them",
            way_out=_AGAIN,
        )
    if not labels and not np.frombuffer(body, np.uint8).any():
        return Finding(path=path, expected="images", found="zeros alone", way_out=_AGAIN)
    return None


def _sizes(head: bytes, n: int) -> list[int]:
    return [int(size) for size in np.frombuffer(head, ">u4", n, 4)]


def _n_header(shape: tuple[int, ...]) -> int:
    return 4 + 4 * len(shape)


def _content(path: Path) -> bytes | Finding:
    """All bytes of a file, unpacked if its name says that it is packed."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        return _unreadable(path, error)


def _ends(path: Path) -> _Ends | Finding:
    """What can be told of a file without unpacking it: a packed one ends with its full size."""
    try:
        if path.suffix != ".gz":
            with open(path, "rb") as file:
                return _Ends(file.read(_HEAD), path.stat().st_size)
        with gzip.open(path) as packed:
            head = packed.read(_HEAD)
        if not head:
            return _Ends(b"", 0)
        with open(path, "rb") as file:
            file.seek(-4, os.SEEK_END)
            return _Ends(head, int.from_bytes(file.read(4), "little"))
    except (OSError, EOFError, zlib.error) as error:
        return _unreadable(path, error)


def _unreadable(path: Path, error: Exception) -> Finding:
    return Finding(path=path, expected="a whole file", found=str(error), way_out=_AGAIN)
