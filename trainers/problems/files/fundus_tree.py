"""Fundus photos on disk: Kaggle's with a level each, DiaretDB1's with what experts have marked.

Kaggle: ``trainLabels.csv``, and photos such as ``train/10_left.jpeg``. DiaretDB1 2.1:
``ddb1_v02_01_train_plain.txt`` and ``..._test_plain.txt`` list ``images/`` and ``groundtruth/``.
Where one set trains and the other judges, DiaretDB1 is in a folder ``ddb1_v02_01`` beside Kaggle's.

Shapes: S side of the square that photos are shrunk to, H and W of a photo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import DataBroken
from trainers.problems.files.face_lists import ListBroken
from trainers.problems.files.findings import Finding, no_folder
from trainers.problems.files.fundus_lists import broken, experts_of, levels_of
from trainers.problems.files.fundus_marks import Marking, agreed, markings_of
from trainers.problems.files.pictures import pillow, unread
from trainers.problems.files.samples import Arrays, ArraySpec
from trainers.problems.regions import Region

LEVELS_FILE: Final = "trainLabels.csv"
PHOTOS: Final = "train"
DIARETDB1: Final = "ddb1_v02_01"
_ENDINGS: Final = (".jpeg", ".jpg", ".png")
_AGAIN: Final = "Copy it again from where the set came from."


@dataclass(frozen=True, slots=True, kw_only=True)
class FundusTree:
    """Photos below a folder, and what is known of each.

    Attributes:
        trained_on: ``kaggle-dr`` or ``diaretdb1``.
        judged_on: The same.
        size: Side that photos are shrunk to, in pixels; they are made square by black borders.
        agreement: How far experts must agree on a pixel, see `fundus_marks`.
        ignored: Types of markings that are no lesions.
        n_samples: Photos of Kaggle's set, or of DiaretDB1's two lists.
    """

    root: Path
    trained_on: str
    judged_on: str
    size: int
    agreement: float
    ignored: tuple[str, ...]
    n_samples: Mapping[str, int]

    @property
    def arrays(self) -> Mapping[str, ArraySpec]:
        """``image [3, S, S]`` in bytes; ``present``, ``severity`` and, of markings, ``count``."""
        counted = {"count": ArraySpec((), "<f4")} if self.trained_on == "diaretdb1" else {}
        return {
            "image": ArraySpec((3, self.size, self.size), "|u1"),
            "present": ArraySpec((), "<f4"),
            "severity": ArraySpec((), "<i8"),
            **counted,
        }

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Paths of the photos; of Kaggle's alone all are for ``train``.

        Raises:
            DataBroken: A list is missing, or no such list.
        """
        try:
            return self._names
        except ListBroken as error:
            raise DataBroken(str(error.finding)) from error

    @property
    def lists(self) -> list[str]:
        """Paths of what lists photos, below the folder."""
        files = [LEVELS_FILE] if "kaggle-dr" in (self.trained_on, self.judged_on) else []
        if "diaretdb1" in (self.trained_on, self.judged_on):
            files += [f"{self._prefix}{DIARETDB1}_{split}_plain.txt" for split in ("train", "test")]
        return files

    def files(self, name: str) -> Sequence[str]:
        """The photo, and the files of its markings."""
        return [name, *(f"{self._prefix}{file}" for file in self._experts.get(name, ()))]

    def read(self, name: str, into: Arrays) -> None:
        """Read a photo, and what is known of it.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        try:
            into["image"][...] = self._photo(name).transpose(2, 0, 1)
            n_lesions, grade = self._known(name)
        except ListBroken as error:
            raise DataBroken(str(error.finding)) from error
        except (OSError, ValueError) as error:
            raise DataBroken(f"{self.root / name} cannot be read: {error}. {_AGAIN}") from error
        into["present"][...] = n_lesions > 0
        into["severity"][...] = grade
        if "count" in into:
            into["count"][...] = n_lesions

    def regions(self, name: str) -> Sequence[Region]:
        """The lesions of a photo of DiaretDB1, masks ``[S, S]``.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        try:
            return [self._region(kind, mask) for kind, mask in self._lesions(name)]
        except ListBroken as error:
            raise DataBroken(str(error.finding)) from error

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files."""
        if no_root := no_folder(self.root, "Give the folder that has the lists as `root`."):
            yield no_root
            return
        try:
            names = self._names
        except ListBroken as error:
            yield error.finding
            return
        for split, n in self.n_samples.items():
            if len(names[split]) != n:
                yield Finding(
                    path=self.root,
                    expected=f"{n:,} photos for {split}",
                    found=f"{len(names[split]):,}",
                    way_out="Get the whole set, or say in the options how many there are.",
                )
        for of_split in names.values():
            for name in of_split:
                if (wrong := self._wrong(name, values=values)) is not None:
                    yield wrong

    @property
    def _prefix(self) -> str:
        """Where DiaretDB1 is below the folder."""
        return "" if self.trained_on == self.judged_on else f"{DIARETDB1}/"

    @property
    def _names(self) -> Mapping[str, Sequence[str]]:
        if self.trained_on == "kaggle-dr":
            levels = levels_of(self.root / LEVELS_FILE)
            train = [self._photo_of(name) for name in levels]
            return {"train": train, "test": [*self._experts]}
        lists = [experts_of(self.root / file) for file in self.lists]
        if both := sorted(lists[0].keys() & lists[1].keys()):
            broken(self.root / self.lists[1], "photos that are not for training", both[0])
        return {split: [*of] for split, of in zip(("train", "test"), lists, strict=True)}

    @property
    def _experts(self) -> Mapping[str, Sequence[str]]:
        """Files of markings, below DiaretDB1's folder, of each of its photos."""
        return {
            f"{self._prefix}{photo}": files
            for file in self.lists
            if file != LEVELS_FILE
            for photo, files in experts_of(self.root / file).items()
        }

    def _photo_of(self, name: str) -> str:
        """Where a photo of Kaggle's is; they are JPEGs, unless someone has shrunk them."""
        paths = [f"{PHOTOS}/{name}{ending}" for ending in _ENDINGS]
        return next((path for path in paths if (self.root / path).is_file()), paths[0])

    def _known(self, name: str) -> tuple[int, int]:
        """How many lesions there are, 1 for "some", and how grave it is: 0, 1, 2."""
        if name in (experts := self._experts) and experts[name]:
            n_lesions = len(self._lesions(name))
            return n_lesions, min((n_lesions + 1) // 2, 2)
        level = levels_of(self.root / LEVELS_FILE)[Path(name).stem]
        return int(level > 0), min((level + 1) // 2, 2)

    def _lesions(self, name: str) -> list[tuple[str, NDArray[np.bool_]]]:
        experts = self._markings(name)
        return [*agreed(experts, self._size_of(name), self.agreement)] if experts else []

    def _markings(self, name: str) -> list[Sequence[Marking]]:
        """What each expert has marked; none of a photo of Kaggle's."""
        if not (files := self.files(name)[1:]):
            return []
        size = self._size_of(name)
        return [markings_of(self.root / file, self.ignored, size) for file in files]

    def _size_of(self, name: str) -> tuple[int, int]:
        path = self.root / name
        try:
            with unread(path) as photo:
                return photo.height, photo.width
        except (OSError, SyntaxError, ValueError) as error:
            broken(path, "a picture", str(error))

    def _photo(self, name: str) -> NDArray[np.uint8]:
        """Pixels ``[S, S, 3]``."""
        image = pillow()
        with unread(self.root / name) as opened:
            opened.draft("RGB", (self.size, self.size))
            photo = opened.convert("RGB")
        side = max(photo.size)
        square = image.new("RGB", (side, side))
        square.paste(photo, ((side - photo.width) // 2, (side - photo.height) // 2))
        return np.asarray(square.resize((self.size, self.size), image.Resampling.BILINEAR))

    def _region(self, kind: str, mask: NDArray[np.bool_]) -> Region:
        """A lesion with mask ``[H, W]``, shrunk as its photo is; no less than a pixel of it."""
        side = max(mask.shape)
        top, left = ((side - length) // 2 for length in mask.shape)
        square = np.zeros((side, side), dtype=np.float32)
        square[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        image = pillow()
        shrunk: Any = image.fromarray(square).resize((self.size,) * 2, image.Resampling.BOX)
        found = np.asarray(shrunk) >= 0.5
        rows, columns = np.nonzero(square)
        y, x = ((at.mean() + 0.5) * self.size / side - 0.5 for at in (rows, columns))
        if not found.any():
            found[int(y + 0.5), int(x + 0.5)] = True
        return Region(kind=kind, y=float(y), x=float(x), mask=found)

    def _wrong(self, name: str, *, values: bool) -> Finding | None:
        path = self.root / name
        if not path.is_file() or not path.stat().st_size:
            return Finding(
                path=path,
                expected="a photo, as of all that are listed",
                found="a folder"
                if path.is_dir()
                else "an empty file"
                if path.exists()
                else "nothing",
                way_out="Unpack the set again.",
            )
        try:
            self._markings(name)
            if values:
                self._photo(name)
        except ListBroken as error:
            return error.finding
        except (OSError, SyntaxError, ValueError) as error:
            return Finding(path=path, expected="a picture", found=str(error), way_out=_AGAIN)
        return None
