"""Pre-processed trees: what is read of them, and what is refused before training starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.problems.breaking import (
    Break,
    made_a_dead_link,
    made_a_file,
    made_a_folder,
    removed,
    rewritten,
)
from tests.unit.problems.trees import N_SAMPLES, NYUV2, SIZE, write_nyuv2
from trainers.problems.errors import DataBroken
from trainers.problems.files.samples import Samples
from trainers.problems.nyuv2 import Nyuv2


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_nyuv2(tmp_path / "nyuv2")


def tree(root: Path) -> Samples:
    return Nyuv2(**NYUV2).samples(root)


def read(root: Path, name: str) -> dict[str, Any]:
    samples = tree(root)
    into = {kind: np.empty(spec.shape, spec.dtype) for kind, spec in samples.arrays.items()}
    samples.read(name, into)
    return into


def test_a_sample_is_what_its_files_hold_with_channels_first(root: Path) -> None:
    found = read(root, "val/2")
    stored = {kind: np.load(root / "val" / kind / "2.npy") for kind in found}
    assert found["image"].dtype == np.float32
    np.testing.assert_array_equal(found["image"], stored["image"].astype("f4").transpose(2, 0, 1))
    np.testing.assert_array_equal(found["label"], stored["label"].astype(int))
    np.testing.assert_array_equal(found["normal"], stored["normal"].transpose(2, 0, 1))
    depth = stored["depth"].transpose(2, 0, 1)
    np.testing.assert_array_equal(found["depth"], np.where(depth == 0, np.nan, depth))
    assert np.isnan(found["depth"]).any()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", ">f4"])
def test_images_of_any_numbers_are_read(root: Path, dtype: str) -> None:
    path = root / "train" / "image" / "0.npy"
    image = (255 * np.load(path)).astype("u1") if dtype == "u1" else np.load(path).astype(dtype)
    np.save(path, image)
    expected = (image / np.float32(255) if dtype == "u1" else image).astype("f4")
    np.testing.assert_array_equal(read(root, "train/0")["image"], expected.transpose(2, 0, 1))
    assert [*tree(root).findings(values=True)] == []


def test_arrays_stored_by_columns_and_long_headers_are_read(root: Path) -> None:
    path = root / "train" / "image" / "0.npy"
    image = np.load(path)
    np.save(path, np.asfortranarray(image))
    expected = image.astype("f4").transpose(2, 0, 1)
    np.testing.assert_array_equal(read(root, "train/0")["image"], expected)
    with open(path, "wb") as file:
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {image.shape}}}"
        header = text.encode().ljust(1000) + b"\n"
        file.write(b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header)
        file.write(image.tobytes())
    np.testing.assert_array_equal(read(root, "train/0")["image"], expected)


def test_names_are_those_of_both_folders(root: Path) -> None:
    names = tree(root).names
    assert names["train"] == [f"train/{number}" for number in range(N_SAMPLES["train"])]
    assert names["test"] == [f"val/{number}" for number in range(N_SAMPLES["val"])]
    assert [(root / file).is_file() for file in tree(root).files("val/1")] == [True] * 4


def test_whole_files_have_no_findings(root: Path) -> None:
    assert [*tree(root).findings(values=True)] == []


def changed(file: str, change: Callable[[np.ndarray], np.ndarray]) -> Break:
    """Store another array in a file."""

    def broken(root: Path) -> None:
        path = root / file
        np.save(path, change(np.load(path)))

    return broken


def with_one(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[0, 0] = value
        return array

    return change


def all_changed(folder: str, change: Callable[[np.ndarray], np.ndarray]) -> Break:
    """Store other arrays in all files of a folder."""

    def broken(root: Path) -> None:
        for path in (root / folder).iterdir():
            np.save(path, change(np.load(path)))

    return broken


def is_seen_in_both(root: Path) -> None:
    shutil.copy(root / "train/image/3.npy", root / "val/image/1.npy")


STRUCTURE: dict[str, tuple[Break, list[str]]] = {
    "no root": (shutil.rmtree, ["nyuv2: expected the folder of the data set, found nothing"]),
    "no split": (
        lambda root: shutil.rmtree(root / "val"),
        ["val/image: expected a folder of 3 .npy files, found nothing", "Unpack the whole set"],
    ),
    "no folder": (
        lambda root: shutil.rmtree(root / "train" / "depth"),
        ["train/depth: expected a folder of 6 .npy files, found nothing"],
    ),
    "a file for a folder": (
        made_a_file("train/normal"),
        ["train/normal: expected a folder", "found a file"],
    ),
    "a missing file": (
        removed("train/depth/4.npy"),
        ["train/depth/4.npy: expected a file", "from 0 to 5", "of 1 of them"],
    ),
    "a file too many": (
        lambda root: shutil.copy(root / "val/image/0.npy", root / "val/image/3.npy"),
        ["val/image/3.npy: expected files from 0.npy to 2.npy alone, found 1 others"],
    ),
    "other numbers": (
        lambda root: (root / "val/label/0.npy").rename(root / "val/label/00.npy"),
        ["val/label/0.npy: expected a file", "val/label/00.npy: expected files"],
    ),
    "a folder for a file": (
        made_a_folder("train/image/0.npy"),
        ["train/image/0.npy: expected an array of numbers"],
    ),
    "an empty file": (
        rewritten("train/image/1.npy", lambda _: b""),
        ["train/image/1.npy", "does not begin as an .npy file"],
    ),
    "another format": (
        rewritten("train/image/1.npy", lambda _: b"\x89PNG\r\n\x1a\n" * 20),
        ["train/image/1.npy", "does not begin as an .npy file"],
    ),
    "a torn header": (
        rewritten("train/image/1.npy", lambda content: content[:50]),
        ["train/image/1.npy", "the file ends within its header"],
    ),
    "a header that is no header": (
        rewritten("val/depth/1.npy", lambda content: content.replace(b"descr", b"dexcr")),
        ["val/depth/1.npy", "header cannot be read"],
    ),
    "a truncated array": (
        rewritten("train/normal/5.npy", lambda content: content[:-10]),
        ["train/normal/5.npy: expected 2,432 bytes, by its own header, found 2,422"],
    ),
    "bytes too many": (
        rewritten("train/normal/5.npy", lambda content: content + b"more"),
        ["train/normal/5.npy: expected 2,432 bytes", "found 2,436"],
    ),
    "another size": (
        changed("val/image/0.npy", lambda array: array[:-1]),
        ["val/image/0.npy: expected an array [12, 16, 3], found [11, 16, 3]", "Set `size`"],
    ),
    "another layout": (
        changed("val/image/0.npy", lambda array: array.transpose(2, 0, 1)),
        ["val/image/0.npy: expected an array [12, 16, 3], found [3, 12, 16]"],
    ),
    "channels too many": (
        changed("val/depth/0.npy", lambda array: array.repeat(3, axis=-1)),
        ["val/depth/0.npy: expected an array [12, 16, 1], found [12, 16, 3]"],
    ),
    "a channel too many": (
        changed("val/label/0.npy", lambda array: array[..., None]),
        ["val/label/0.npy: expected an array [12, 16], found [12, 16, 1]"],
    ),
    "a link to nothing": (
        made_a_dead_link("val/label/0.npy"),
        ["val/label/0.npy: expected an array of numbers", "No such file"],
    ),
    "objects": (
        lambda root: np.save(root / "val/label/0.npy", np.empty(SIZE, object), allow_pickle=True),
        ["val/label/0.npy: expected an array of numbers", "object, not of numbers"],
    ),
    "texts": (
        changed("val/label/0.npy", lambda array: array.astype(str)),
        ["val/label/0.npy: expected an array of numbers"],
    ),
}
VALUES: dict[str, tuple[Break, list[str]]] = {
    "a class too many": (
        changed("train/label/2.npy", with_one(13)),
        ["train/label/2.npy: expected classes from 0 to 12, or -1, found 13", "Set `classes`"],
    ),
    "another mark for what is ignored": (
        changed("train/label/2.npy", with_one(-2)),
        ["train/label/2.npy: expected classes from 0 to 12, or -1, found -2"],
    ),
    "255 for what is ignored": (
        changed("train/label/2.npy", with_one(255)),
        ["train/label/2.npy", "found 255"],
    ),
    "labels in between": (
        changed("train/label/2.npy", with_one(1.5)),
        ["train/label/2.npy: expected whole numbers, found fractions", "nearest neighbours"],
    ),
    "a label that is no number": (
        changed("train/label/2.npy", with_one(np.nan)),
        ["train/label/2.npy: expected finite numbers, found NaN or infinity"],
    ),
    "bytes as floats": (
        changed("train/image/0.npy", lambda array: 255 * array),
        ["train/image/0.npy: expected pixels from 0 to 1, found", "divide by 255"],
    ),
    "pixels around 0": (
        changed("train/image/0.npy", lambda array: array - 0.5),
        ["train/image/0.npy: expected pixels from 0 to 1"],
    ),
    "a pixel that is no number": (
        changed("train/image/0.npy", with_one(np.inf)),
        ["train/image/0.npy: expected finite numbers"],
    ),
    "a depth behind the camera": (
        changed("val/depth/2.npy", with_one(-1)),
        ["val/depth/2.npy: expected depths of 0 or more, found -1"],
    ),
    "a depth that is no number": (
        changed("val/depth/2.npy", with_one(np.nan)),
        ["val/depth/2.npy: expected finite numbers", "with 0 for what is missing"],
    ),
    "depths in millimetres": (
        changed("val/depth/2.npy", lambda array: (1000 * array).astype("u2")),
        ["val/depth/2.npy: expected depths in metres", "at most 100", "if they are millimetres"],
    ),
    "zeros for pixels": (
        changed("train/image/0.npy", lambda array: 0 * array),
        ["train/image/0.npy: expected pixels that differ, found 0 alone"],
    ),
    "no label but what is ignored": (
        all_changed("train/label", lambda array: 0 * array - 1),
        ["train/label: expected numbers that differ in its files", "found none. Unpack"],
    ),
    "one class alone": (
        all_changed("val/label", lambda array: 0 * array + 3),
        ["val/label: expected numbers that differ", "found 3 alone"],
    ),
    "nothing measured": (
        all_changed("train/depth", lambda array: 0 * array),
        ["train/depth: expected numbers that differ", "found none"],
    ),
    "no normal": (
        all_changed("val/normal", lambda array: 0 * array),
        ["val/normal: expected numbers that differ", "found none"],
    ),
    "normals as bytes": (
        changed("val/normal/2.npy", lambda array: (127.5 * (array + 1)).astype("u1")),
        ["val/normal/2.npy: expected normals of length 1, or 0", "Divide by the length"],
    ),
    "normals of half length": (
        changed("val/normal/2.npy", lambda array: 0.5 * array),
        ["val/normal/2.npy", "found lengths of 0.5 in the middle"],
    ),
    "a sample of both splits": (
        is_seen_in_both,
        ["val/image/1.npy: expected an image that no other sample has", "train/image/3.npy"],
    ),
}


@pytest.mark.parametrize(("broken", "told"), STRUCTURE.values(), ids=STRUCTURE)
def test_missing_torn_and_missized_files_are_found_before_training(
    root: Path, broken: Break, told: list[str]
) -> None:
    broken(root)
    found = "\n".join(map(str, tree(root).findings(values=False)))
    assert [text for text in told if text not in found] == []
    assert [*tree(root).findings(values=True)]


@pytest.mark.parametrize(("broken", "told"), VALUES.values(), ids=VALUES)
def test_values_that_cannot_be_are_found_by_the_check(
    root: Path, broken: Break, told: list[str]
) -> None:
    broken(root)
    found = "\n".join(map(str, tree(root).findings(values=True)))
    assert [text for text in told if text not in found] == []


@pytest.mark.parametrize("case", ["a class too many", "another mark for what is ignored"])
def test_a_label_beyond_the_classes_is_refused_when_it_is_read(root: Path, case: str) -> None:
    VALUES[case][0](root)
    with pytest.raises(DataBroken, match="classes from 0 to 12"):
        read(root, "train/2")


@pytest.mark.parametrize("case", ["a missing file", "an empty file", "a truncated array"])
def test_a_file_that_has_gone_since_is_named_when_it_is_read(root: Path, case: str) -> None:
    broken, told = STRUCTURE[case]
    broken(root)
    file = told[0].partition(":")[0]
    split, _, number = file.removesuffix(".npy").split("/")
    with pytest.raises(DataBroken, match=file):
        read(root, f"{split}/{number}")
