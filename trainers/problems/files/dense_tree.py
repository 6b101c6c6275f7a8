"""Pre-processed `.npy` trees of the MTAN authors: NYUv2 and Cityscapes, one file an array.

``<root>/{train,val}/<folder>/<i>.npy`` with i from 0 on: ``image [H, W, 3]`` in 0 to 1, a label
``[H, W]`` with -1 for what is ignored, ``depth [H, W, 1]`` (0: not measured), ``normal [H, W, 3]``
(length 0: not known).

Shapes: C channels, H and W height and width.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import DataBroken
from trainers.problems.files.findings import Finding, no_folder, seen_before
from trainers.problems.files.npy import header_of, read_array
from trainers.problems.files.samples import Arrays, ArraySpec
from trainers.problems.files.values import Kind, ends_of, wrong_with

_FOLDERS = {"train": "train", "test": "val"}
_CHANNELS: Mapping[Kind, tuple[int, ...]] = {
    "image": (3,),
    "label": (),
    "depth": (1,),
    "normal": (3,),
}
_DTYPES: Mapping[Kind, str] = {"image": "<f4", "label": "<i2", "depth": "<f4", "normal": "<f4"}
_AGAIN = "Copy it again from where the set came from."


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseTree:
    """A tree of files.

    Attributes:
        folders: What is read, with the folder that has it, such as ``label_7``.
        size: Height and width in pixels.
        n_samples: Samples of ``train`` and ``test``.
        n_classes: Of the label.
    """

    root: Path
    folders: Mapping[Kind, str]
    size: tuple[int, int]
    n_samples: Mapping[str, int]
    n_classes: int

    @property
    def arrays(self) -> Mapping[str, ArraySpec]:
        """Channels come first: ``image [3, H, W]``, ``label [H, W]``, ``depth [1, H, W]``."""
        return {
            kind: ArraySpec((*_CHANNELS[kind], *self.size), _DTYPES[kind]) for kind in self.folders
        }

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Such as ``val/17``."""
        return {
            split: [f"{_FOLDERS[split]}/{number}" for number in range(n)]
            for split, n in self.n_samples.items()
        }

    def files(self, name: str) -> Sequence[str]:
        """Such as ``val/image/17.npy``."""
        split, _, number = name.partition("/")
        return [f"{split}/{folder}/{number}.npy" for folder in self.folders.values()]

    def read(self, name: str, into: Arrays) -> None:
        """Read a sample; a depth that was not measured becomes NaN.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        for kind, file in zip(self.folders, self.files(name), strict=True):
            path = self.root / file
            try:
                stored = read_array(path)
            except (OSError, ValueError) as error:
                raise DataBroken(f"{path} cannot be read: {error}. {_AGAIN}") from error
            if stored.shape != self._stored_shape(kind):
                raise DataBroken(str(self._missized(path, kind, stored.shape)))
            _move(kind, stored, into[kind])
            if kind == "label" and (wrong := wrong_with(kind, stored, self.n_classes)):
                raise DataBroken(str(Finding(path=path, **wrong)))

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files."""
        if no_root := no_folder(self.root, "Give the folder that has `train` and `val` as `root`."):
            yield no_root
            return
        seen: dict[bytes, Path] = {}
        for split, n in self.n_samples.items():
            for kind, folder in self.folders.items():
                where = self.root / _FOLDERS[split] / folder
                yield from self._of_folder(where, kind, n, seen if values else None)

    def _of_folder(
        self, folder: Path, kind: Kind, n: int, seen: dict[bytes, Path] | None
    ) -> Iterator[Finding]:
        if not folder.is_dir():
            yield Finding(
                path=folder,
                expected=f"a folder of {n:,} .npy files",
                found="a file" if folder.exists() else "nothing",
                way_out="Unpack the whole set there, or give another `root`.",
            )
            return
        there = {entry.name for entry in os.scandir(folder) if entry.name.endswith(".npy")}
        wanted = {f"{number}.npy" for number in range(n)}
        if missing := wanted - there:
            first = min(missing, key=lambda name: int(name[:-4]))
            yield Finding(
                path=folder / first,
                expected=f"a file, as of all numbers from 0 to {n - 1:,}",
                found=f"nothing, as of {len(missing):,} of them",
                way_out="Unpack the set again, or say in the options how many samples there are.",
            )
        if extra := there - wanted:
            yield Finding(
                path=folder / min(extra),
                expected=f"files from 0.npy to {n - 1}.npy alone",
                found=f"{len(extra):,} others",
                way_out="Say in the options how many samples there are, or move them away.",
            )
        ends: set[float] = set()
        n_right = 0
        for name in sorted(wanted & there, key=lambda name: int(name[:-4])):
            path = folder / name
            if (misstored := self._misstored(path, kind)) is not None:
                yield misstored
            elif seen is not None:
                stored = read_array(path)
                wrong = [*self._wrong_values(path, kind, stored, seen)]
                yield from wrong
                if not wrong:
                    n_right += 1
                    ends.update(ends_of(kind, stored))
        if n_right and len(ends) < 2:
            yield _unknown(folder, ends)

    def _misstored(self, path: Path, kind: Kind) -> Finding | None:
        try:
            header = header_of(path)
            size = path.stat().st_size
        except (OSError, ValueError) as error:
            return Finding(
                path=path, expected="an array of numbers", found=str(error), way_out=_AGAIN
            )
        if header.shape != self._stored_shape(kind):
            return self._missized(path, kind, header.shape)
        if size != (whole := header.at + header.n_bytes):
            return Finding(
                path=path,
                expected=f"{whole:,} bytes, by its own header",
                found=f"{size:,}",
                way_out=_AGAIN,
            )
        return None

    def _wrong_values(
        self, path: Path, kind: Kind, stored: NDArray[Any], seen: dict[bytes, Path]
    ) -> Iterator[Finding]:
        if wrong := wrong_with(kind, stored, self.n_classes):
            yield Finding(path=path, **wrong)
        if kind == "image" and (twice := seen_before(path, stored.tobytes(), seen)) is not None:
            yield twice

    def _stored_shape(self, kind: Kind) -> tuple[int, ...]:
        return (*self.size, *_CHANNELS[kind])

    def _missized(self, path: Path, kind: Kind, found: tuple[int, ...]) -> Finding:
        return Finding(
            path=path,
            expected=f"an array {list(self._stored_shape(kind))}",
            found=str(list(found)),
            way_out="Set `size` to what the files have, or get the set of this size.",
        )


def _unknown(folder: Path, ends: Collection[float]) -> Finding:
    """Files that know nothing, or one number alone: nothing to learn, or to judge by."""
    return Finding(
        path=folder,
        expected="numbers that differ in its files, beside what is missing or ignored",
        found=f"{min(ends):g} alone" if ends else "none",
        way_out="Unpack the set again; what is missing may be marked in another way.",
    )


def _move(kind: Kind, stored: NDArray[Any], into: NDArray[Any]) -> None:
    """Into float32 or int16 with channels first."""
    if kind == "label":
        np.copyto(into, stored, casting="unsafe")
        return
    for channel in range(len(into)):  # several times as fast as a transposed copy
        np.copyto(into[channel], stored[..., channel], casting="unsafe")
    if kind == "image" and stored.dtype.kind == "u":
        into /= 255.0
    if kind == "depth":
        into[into == 0] = np.nan
