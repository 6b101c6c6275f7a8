"""Cityscapes as its authors give it away: photos, label ids and disparities by city.

``leftImg8bit/{train,val}/<city>/<name>_leftImg8bit.png`` (8 bits, RGB),
``gtFine/.../<name>_gtFine_labelIds.png`` (8 bits) and ``disparity/.../<name>_disparity.png`` (16
bits: 0 where it was not measured, else 256 times the disparity, plus 1), each 2048x1024.

They are shrunk by a whole number: photos by means of squares, labels and disparities to what is in
the middle of each.

Shapes: H and W height and width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import DataBroken
from trainers.problems.files.findings import Finding, no_folder, seen_before
from trainers.problems.files.pictures import PngHeader, opened, png_header
from trainers.problems.files.samples import Arrays, ArraySpec
from trainers.problems.files.values import IGNORED

Kind = Literal["image", "label", "depth"]
_FOLDERS = {"train": "train", "test": "val"}
_PLACES: Mapping[Kind, tuple[str, str]] = {
    "image": ("leftImg8bit", "leftImg8bit"),
    "label": ("gtFine", "gtFine_labelIds"),
    "depth": ("disparity", "disparity"),
}
_FORMS: Mapping[Kind, tuple[int, int, str]] = {
    "image": (8, 2, "8 bits of red, green and blue"),
    "label": (8, 0, "8 bits of grey, the label ids"),
    "depth": (16, 0, "16 bits of grey"),
}
_ARRAYS: Mapping[Kind, tuple[tuple[int, ...], str]] = {
    "image": ((3,), "<f4"),
    "label": ((), "<i2"),
    "depth": ((1,), "<f4"),
}
_FOCAL = 2262.52  # pixels
_BASELINE = 0.209313  # metres
PER_METRE = 1 / (_FOCAL * _BASELINE)
"""What a disparity of one pixel is in inverse metres, with the camera of most cities."""
N_IDS = 34
_NOBODY = 255  # what some versions write for the plates of cars
_IDS_OF_19 = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
_SEVEN_OF_19 = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6)
_AGAIN = "Copy it again from where the set came from."


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetTree:
    """A tree of pictures.

    Attributes:
        size: Height and width in pixels that pictures are shrunk to.
        n_samples: Samples of ``train`` and ``test``.
        n_classes: 7 or 19.
    """

    root: Path
    size: tuple[int, int]
    n_samples: Mapping[str, int]
    n_classes: int

    @property
    def arrays(self) -> Mapping[str, ArraySpec]:
        """Channels come first: ``image [3, H, W]``, ``label [H, W]``, ``depth [1, H, W]``."""
        return {
            kind: ArraySpec((*channels, *self.size), dtype)
            for kind, (channels, dtype) in _ARRAYS.items()
        }

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Such as ``val/lindau/lindau_000000_000019``, sorted."""
        return {split: self._named(split, "image") for split in _FOLDERS}

    def files(self, name: str) -> Sequence[str]:
        """Such as ``disparity/val/lindau/lindau_000000_000019_disparity.png``."""
        return [_file(kind, name) for kind in _PLACES]

    def read(self, name: str, into: Arrays) -> None:
        """Read a sample; where no depth was measured it is NaN.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        for kind in _PLACES:
            path = self.root / _file(kind, name)
            try:
                wrong = self._misformed(path, kind, png_header(path))
                if wrong is None:
                    stored = opened(path, reduced=self.size if kind == "image" else None)
                    wrong = _wrong_values(path, kind, stored)
            except (OSError, ValueError) as error:
                raise DataBroken(f"{path} cannot be read: {error}. {_AGAIN}") from error
            if wrong is not None:
                raise DataBroken(str(wrong))
            self._move(kind, stored, into[kind])

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files."""
        if no_root := no_folder(
            self.root, "Give the folder with `leftImg8bit`, `gtFine` and `disparity` as `root`."
        ):
            yield no_root
            return
        photos: dict[bytes, Path] = {}
        for split, n in self.n_samples.items():
            missing = [*self._of_folders(split)]
            yield from missing or self._of_split(split, n, photos if values else None)

    def _of_folders(self, split: str) -> Iterator[Finding]:
        for folder, _ in _PLACES.values():
            path = self.root / folder / _FOLDERS[split]
            if not path.is_dir():
                yield Finding(
                    path=path,
                    expected="a folder of cities",
                    found="a file" if path.exists() else "nothing",
                    way_out=f"Unpack the archive with `{folder}` there.",
                )

    def _of_split(self, split: str, n: int, photos: dict[bytes, Path] | None) -> Iterator[Finding]:
        found = {kind: self._named(split, kind) for kind in _PLACES}
        if len(found["image"]) != n:
            yield Finding(
                path=self.root / _PLACES["image"][0] / _FOLDERS[split],
                expected=f"{n:,} photos",
                found=f"{len(found['image']):,}",
                way_out="Unpack the whole set, or say in the options how many samples there are.",
            )
        for kind in ("label", "depth"):
            yield from self._unpaired(kind, {*found["image"]}, {*found[kind]})
        for kind, names in found.items():
            ids: set[int] = set()
            for name in names:
                yield from self._of_file(self.root / _file(kind, name), kind, photos, ids)
            if kind == "label" and ids and max(ids - {_NOBODY}, default=0) < 19:
                yield Finding(
                    path=self.root / _PLACES[kind][0] / _FOLDERS[split],
                    expected="label ids beyond 18, such as 23 for sky",
                    found="0 to 18 alone, as ids for training are",
                    way_out="Take the `gtFine_labelIds.png` of the official archive.",
                )

    def _unpaired(self, kind: Kind, photos: set[str], others: set[str]) -> Iterator[Finding]:
        if missing := photos - others:
            yield Finding(
                path=self.root / _file(kind, min(missing)),
                expected="a file, as of all photos",
                found=f"nothing, as of {len(missing):,} of them",
                way_out=f"Unpack the archive with `{_PLACES[kind][0]}` again.",
            )
        if extra := others - photos:
            yield Finding(
                path=self.root / _file("image", min(extra)),
                expected=f"a photo, as of all files of `{_PLACES[kind][0]}`",
                found=f"nothing, as of {len(extra):,} of them",
                way_out="Unpack the archive with `leftImg8bit` again.",
            )

    def _of_file(
        self, path: Path, kind: Kind, photos: dict[bytes, Path] | None, ids: set[int]
    ) -> Iterator[Finding]:
        """What is wrong with a file; ids that labels have join `ids`."""
        try:
            wrong = self._misformed(path, kind, png_header(path))
            if wrong is None and photos is not None:
                stored = opened(path)
                wrong = _wrong_values(path, kind, stored)
                if kind == "label":
                    ids.update(_ids_of(stored))
                elif kind == "image" and wrong is None:
                    wrong = seen_before(path, path.read_bytes(), photos)
        except (OSError, ValueError) as error:
            wrong = Finding(path=path, expected="a PNG", found=str(error), way_out=_AGAIN)
        if wrong is not None:
            yield wrong

    def _misformed(self, path: Path, kind: Kind, header: PngHeader) -> Finding | None:
        bits, colour, form = _FORMS[kind]
        if (header.bits, header.colour) != (bits, colour):
            return Finding(
                path=path,
                expected=form,
                found=str(header),
                way_out="Take the file of this name of the official archive.",
            )
        height, width = self.size
        times = header.height // height
        if times < 1 or (header.height, header.width) != (times * height, times * width):
            return Finding(
                path=path,
                expected=f"a whole multiple of {width}x{height} pixels",
                found=f"{header.width}x{header.height}",
                way_out="Set `size` to a part of what the files have, as [128, 256] of 2048x1024.",
            )
        return None

    def _named(self, split: str, kind: Kind) -> list[str]:
        folder, ending = _PLACES[kind]
        top = self.root / folder / _FOLDERS[split]
        tail = f"_{ending}.png"
        return sorted(
            f"{_FOLDERS[split]}/{path.parent.name}/{path.name.removesuffix(tail)}"
            for path in top.glob(f"*/*{tail}")
        )

    def _move(self, kind: Kind, stored: NDArray[Any], into: NDArray[Any]) -> None:
        if kind == "image":
            np.multiply(stored.transpose(2, 0, 1), np.float32(1 / 255), out=into)
            return
        times = stored.shape[0] // self.size[0]
        middle = stored[times // 2 :: times, times // 2 :: times]
        if kind == "label":
            into[...] = class_of(self.n_classes)[middle]
            return
        inverse = (middle.astype(np.float32) - 1) * np.float32(PER_METRE / 256)
        into[0] = np.where(middle > 0, inverse, np.nan)


def class_of(n_classes: int) -> NDArray[np.int16]:
    """The class of each label id, ``[256]``; -1 for what is ignored."""
    table = np.full(256, IGNORED, np.int16)
    classes = range(19) if n_classes == 19 else _SEVEN_OF_19
    table[[*_IDS_OF_19]] = [*classes]
    return table


def _ids_of(stored: NDArray[np.uint8]) -> list[int]:
    """Label ids that a picture ``[H, W]`` has."""
    return [int(number) for number in np.flatnonzero(np.bincount(stored.ravel(), minlength=256))]


def _wrong_values(path: Path, kind: Kind, stored: NDArray[Any]) -> Finding | None:
    if kind == "image" and stored.min() == stored.max():
        return Finding(path=path, expected="a photo", found="one colour", way_out=_AGAIN)
    if kind == "label":
        odd = [number for number in _ids_of(stored) if number >= N_IDS and number != _NOBODY]
        if odd:
            return Finding(
                path=path,
                expected=f"label ids from 0 to {N_IDS - 1}",
                found=str(odd[0]),
                way_out="Take `gtFine_labelIds.png`, no colours and no ids for training.",
            )
    if kind == "depth" and not stored.any():
        return Finding(path=path, expected="disparities", found="zeros alone", way_out=_AGAIN)
    return None


def _file(kind: Kind, name: str) -> str:
    folder, ending = _PLACES[kind]
    return f"{folder}/{name}_{ending}.png"
