"""CIFAR-10 and CIFAR-100 as torchvision has them on disk, with the labels that people gave.

Batches are pickles of rows of 3,072 bytes, the red plane first, and of labels. CIFAR-N (Wei et al.
2022) is one file of `torch.save` beside them, in the order of the training batches.

Shapes: D images of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import DataBroken
from trainers.problems.files.findings import Finding, no_folder
from trainers.problems.files.pickled import NotPlain, read_pickle, read_saved
from trainers.problems.files.split import Names

SIDE: Final = 32
_ROW: Final = 3 * SIDE * SIDE
_AGAIN: Final = "Copy it again from where the set came from."
_CLEAN: Final = "clean_label"

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarLayout:
    """What one of the two sets is called on disk.

    Attributes:
        folder: Where torchvision unpacks it, below the folder that was given.
        files: Split of the files to their names.
        labels: Task to the key of its labels, and how many classes it has.
        human_file: What CIFAR-N calls its file.
        human_task: The task whose labels people gave.
    """

    folder: str
    files: Mapping[str, Sequence[str]]
    labels: Mapping[str, tuple[str, int]]
    human_file: str
    human_task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarSet:
    """The files in a folder.

    Attributes:
        root: The folder that was given; the files may be in it, or in torchvision's below it.
        n_samples: Images of all training files, and of the test file.
        human: Key of the labels that are taken instead of the true ones in training; or empty.
        splits: Names ``train/5`` of the samples of each split, numbered through all files.
    """

    root: Path
    layout: CifarLayout
    n_samples: Mapping[str, int]
    human: str
    splits: Names

    def path(self, file: str) -> Path:
        """Where a file is, or should be."""
        places = [self.root / self.layout.folder / file, self.root / file]
        return next((path for path in places if path.is_file()), places[0])

    @property
    def paths(self) -> list[Path]:
        """All files that anything depends on."""
        files = [file for of in self.layout.files.values() for file in of]
        return [self.path(file) for file in (*files, *self._human_files)]

    def read(self, split: str) -> tuple[NDArray[np.uint8], dict[str, Labels]]:
        """Images ``[D, 3, 32, 32]`` of ``train`` or ``test``, and true labels ``[D]`` by task.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        parts = [_or_raise(self._batch(split, file)) for file in self.layout.files[split]]
        images = np.concatenate([part.images for part in parts])
        tasks = {
            task: np.concatenate([part.labels[task] for part in parts])
            for task in self.layout.labels
        }
        return images.reshape(-1, 3, SIDE, SIDE), tasks

    def given(self, true: Labels) -> Labels:
        """The labels ``[D]`` that people gave to the training images.

        Raises:
            DataBroken: The file is missing, torn, or of other images.
        """
        given: Labels = _or_raise(self._given(true))
        return given

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files; without `values` whether they are there and whole."""
        if wrong := no_folder(
            self.root, f"Give the folder that has `{self.layout.folder}` as `root`."
        ):
            yield wrong
            return
        found = [self._missing(path) for path in self.paths]
        if values and not any(found):
            yield from self._wrong_values()
        yield from filter(None, found)

    @property
    def _human_files(self) -> list[str]:
        return [self.layout.human_file] if self.human else []

    def _missing(self, path: Path) -> Finding | None:
        of_people = path.name == self.layout.human_file
        if not path.is_file():
            return Finding(
                path=path,
                expected="the labels of CIFAR-N" if of_people else "a batch as torchvision has it",
                found="a folder" if path.exists() else "nothing",
                way_out="Copy all files there, or give another `root`.",
            )
        split = "test" if path.name in self.layout.files["test"] else "train"
        least = 1 if of_people else self._n_of(split) * _ROW
        if (size := path.stat().st_size) < least:
            return Finding(
                path=path,
                expected=f"{least:,} bytes or more",
                found=f"{size:,}",
                way_out=_AGAIN,
            )
        return None

    def _wrong_values(self) -> Iterator[Finding]:
        broken, true = False, []
        for split, files in self.layout.files.items():
            for file in files:
                batch = self._batch(split, file)
                if isinstance(batch, Finding):
                    broken = True
                    yield batch
                elif split == "train":
                    true.append(batch.labels[self.layout.human_task])
        if self.human and not broken:
            given = self._given(np.concatenate(true))
            if isinstance(given, Finding):
                yield given

    def _n_of(self, split: str) -> int:
        return self.n_samples[split] // len(self.layout.files[split])

    def _batch(self, split: str, file: str) -> _Batch | Finding:
        path = self.path(file)
        found = _table(path, read_pickle)
        if isinstance(found, Finding):
            return found
        n = self._n_of(split)
        images = found.get("data")
        if not isinstance(images, np.ndarray) or not _is_bytes(images, (n, _ROW)):
            return _wrong_array(path, f"`data` of {n:,} rows of {_ROW:,} bytes", images)
        labels = {}
        for task, (key, n_classes) in self.layout.labels.items():
            of_task = _labels(path, found.get(key), key, n, n_classes)
            if isinstance(of_task, Finding):
                return of_task
            labels[task] = of_task
        return _Batch(images, labels)

    def _given(self, true: Labels) -> Labels | Finding:
        path = self.path(self.layout.human_file)
        found = _table(path, read_saved)
        if isinstance(found, Finding):
            return found
        _, n_classes = self.layout.labels[self.layout.human_task]
        both = []
        for key in (_CLEAN, self.human):
            labels = _labels(path, found.get(key), key, len(true), n_classes)
            if isinstance(labels, Finding):
                return labels
            both.append(labels)
        clean, given = both
        if n_apart := int((clean != true).sum()):
            return Finding(
                path=path,
                expected=f"`{_CLEAN}` to be the labels of the batches, in their order",
                found=f"{n_apart:,} of {len(true):,} others",
                way_out="Take CIFAR-N's file for PyTorch: that for TensorFlow has another order.",
            )
        return given


@dataclass(frozen=True, slots=True)
class _Batch:
    images: NDArray[np.uint8]
    labels: dict[str, Labels]


def _or_raise(found: Any) -> Any:
    if isinstance(found, Finding):
        raise DataBroken(str(found))
    return found


def _table(path: Path, read: Callable[[bytes], Any]) -> dict[str, Any] | Finding:
    """What a file holds by keys of text."""
    try:
        found = read(path.read_bytes())
    except (OSError, NotPlain) as error:
        return Finding(
            path=path, expected="a table of arrays and lists", found=str(error), way_out=_AGAIN
        )
    if not isinstance(found, dict):
        return Finding(
            path=path,
            expected="a table of arrays and lists",
            found=f"a {type(found).__name__}",
            way_out=_AGAIN,
        )
    return {key.decode() if isinstance(key, bytes) else str(key): found[key] for key in found}


def _is_bytes(found: NDArray[Any], shape: tuple[int, ...]) -> bool:
    return found.dtype == np.uint8 and found.shape == shape


def _labels(path: Path, found: Any, key: str, n: int, n_classes: int) -> Labels | Finding:
    """Class numbers ``[n]`` under a key."""
    array = np.asarray(found) if isinstance(found, list | np.ndarray) else None
    if array is None or array.shape != (n,) or array.dtype.kind not in "iu":
        return _wrong_array(
            path, f"`{key}` of {n:,} class numbers", found if array is None else array
        )
    odd = array[(array < 0) | (array >= n_classes)]
    if len(odd):
        return Finding(
            path=path,
            expected=f"`{key}` from 0 to {n_classes - 1}",
            found=str(int(odd[0])),
            way_out="Take the labels of this set: CIFAR-10 and CIFAR-100 may be swapped.",
        )
    return array.astype(np.int64)


def _wrong_array(path: Path, expected: str, found: Any) -> Finding:
    if isinstance(found, np.ndarray):
        told = f"{list(found.shape)} of {found.dtype}"
    else:
        told = "nothing" if found is None else f"a {type(found).__name__}"
    return Finding(path=path, expected=expected, found=told, way_out=_AGAIN)
