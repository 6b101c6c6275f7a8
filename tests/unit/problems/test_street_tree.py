"""Cityscapes in its official folders: what is read of them, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.unit.problems.breaking import (
    Break,
    made_a_file,
    made_a_folder,
    removed,
    rewritten,
    said_to_be_huge,
)
from tests.unit.problems.street_files import STREETS, TIMES, street_sample, write_streets
from trainers.problems.cityscapes import Cityscapes
from trainers.problems.errors import BadOption, DataBroken
from trainers.problems.files.samples import Samples
from trainers.problems.files.street_tree import PER_METRE, class_of
from trainers.protocol import Problem
from trainers.randomness import Key
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
NAME = "val/lindau/lindau_000007_000019"
PHOTO, LABEL, DEPTH = (
    f"{folder}/{NAME}_{ending}.png"
    for folder, ending in (
        ("leftImg8bit", "leftImg8bit"),
        ("gtFine", "gtFine_labelIds"),
        ("disparity", "disparity"),
    )
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_streets(tmp_path_factory.mktemp("streets") / "cityscapes")


def tree(root: Path, classes: int = 7) -> Samples:
    return Cityscapes(**STREETS, classes=classes).samples(root)  # type: ignore[arg-type]


def found(root: Path, *, values: bool) -> str:
    return "\n".join(map(str, tree(root).findings(values=values)))


def read(root: Path, classes: int = 7) -> dict[str, np.ndarray]:
    samples = tree(root, classes)
    into = {kind: np.empty(spec.shape, spec.dtype) for kind, spec in samples.arrays.items()}
    samples.read(NAME, into)
    return into


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self, whole: Path) -> Problem:
        return Cityscapes(**STREETS, root=str(whole), loaders=0)


def test_names_are_those_of_photos_sorted_by_city(whole: Path) -> None:
    names = tree(whole).names
    assert names["train"][0] == "train/aachen/aachen_000000_000019"
    assert names["train"][-1] == "train/bochum/bochum_000005_000019"
    assert names["test"][1] == NAME
    assert [(whole / file).is_file() for file in tree(whole).files(NAME)] == [True] * 3


def test_photos_are_shrunk_by_means_and_labels_by_what_is_in_the_middle(whole: Path) -> None:
    sample, stored = read(whole), street_sample(7)
    photo = stored["leftImg8bit"].astype(float) / 255
    height, width = photo.shape[0] // TIMES, photo.shape[1] // TIMES
    means = photo.reshape(height, TIMES, width, TIMES, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(sample["image"] - means).max() <= 0.51 / 255
    middle = (slice(TIMES // 2, None, TIMES),) * 2
    ids = stored["gtFine_labelIds"][middle]
    np.testing.assert_array_equal(sample["label"], class_of(7)[ids])
    disparity = stored["disparity"][middle].astype(float)
    expected = np.where(disparity > 0, (disparity - 1) / 256 * PER_METRE, np.nan)
    np.testing.assert_allclose(sample["depth"][0], expected, rtol=1e-6)
    assert np.isnan(sample["depth"]).any()


def test_a_disparity_of_47_pixels_is_ten_metres_away() -> None:
    assert pytest.approx(10, abs=0.01) == 1 / (47.36 * PER_METRE)


@pytest.mark.parametrize(
    ("label", "of_7", "of_19"),
    [
        (0, -1, -1),  # unlabelled
        (7, 0, 0),  # road
        (9, -1, -1),  # parking, which is not judged
        (11, 1, 2),  # building
        (17, 2, 5),  # pole
        (21, 3, 8),  # vegetation
        (23, 4, 10),  # sky
        (25, 5, 12),  # rider
        (26, 6, 13),  # car
        (33, 6, 18),  # bicycle
        (255, -1, -1),  # plate of a car
    ],
)
def test_label_ids_are_the_official_classes(label: int, of_7: int, of_19: int) -> None:
    assert (class_of(7)[label], class_of(19)[label]) == (of_7, of_19)


def test_nineteen_classes_are_those_that_are_judged(whole: Path) -> None:
    label = read(whole, classes=19)["label"]
    assert set(np.unique(label)) <= set(range(-1, 19))
    assert sorted(class_of(19)[class_of(19) >= 0]) == [*range(19)]


def test_the_card_says_which_files_and_in_which_unit(whole: Path) -> None:
    card = Cityscapes(**STREETS, root=str(whole)).card
    assert card.source.startswith("files of yours, as their authors")
    assert card.tasks[1].metrics[0].unit == "1/m"
    assert card.sizes == {"train": 4, "validation": 2, "test": 3}
    assert card.packages == ("PIL",)
    with pytest.raises(BadOption, match="`layout` must be one of 'prepared', 'official'"):
        Cityscapes(layout="raw")  # type: ignore[arg-type]


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_batches_are_the_same_whoever_reads_them(whole: Path, cache: str) -> None:
    options = {**STREETS, "root": str(whole)}
    first, second = (
        next(iter(problem.sources(CPU)["test"].batches(None, 3, Key("x"))))
        for problem in (
            Cityscapes(**options, loaders=0),
            Cityscapes(**options, loaders=1, cache=cache),  # type: ignore[arg-type]
        )
    )
    assert torch.equal(first.inputs, second.inputs)
    assert first.targets["segmentation"].dtype == torch.int64


def stored(file: str, change: Callable[[np.ndarray], np.ndarray]) -> Break:
    """Store another picture in a file."""

    def broken(root: Path) -> None:
        with Image.open(root / file) as picture:
            array = change(np.asarray(picture))
        Image.fromarray(array).save(root / file)

    return broken


def with_palette(root: Path) -> None:
    with Image.open(root / LABEL) as picture:
        picture.convert("P").save(root / LABEL)


def cities_lost(root: Path) -> None:
    for path in (root / "leftImg8bit/train").glob("*/*"):
        path.rename(path.parent.parent / path.name)


BROKEN: dict[str, tuple[Break, list[str]]] = {
    "no root": (shutil.rmtree, ["expected the folder of the data set, found nothing"]),
    "no photos": (
        lambda root: shutil.rmtree(root / "leftImg8bit"),
        ["leftImg8bit/train: expected a folder of cities, found nothing", "leftImg8bit/val"],
    ),
    "no labels": (
        lambda root: shutil.rmtree(root / "gtFine/train"),
        ["gtFine/train: expected a folder of cities, found nothing", "archive with `gtFine`"],
    ),
    "no disparities": (
        lambda root: shutil.rmtree(root / "disparity"),
        ["disparity/train: expected a folder of cities", "archive with `disparity`"],
    ),
    "a file for a folder": (
        made_a_file("gtFine/val"),
        ["gtFine/val: expected a folder", "found a file"],
    ),
    "photos without cities": (
        cities_lost,
        ["leftImg8bit/train: expected 6 photos, found 0", "say in the options"],
    ),
    "a city too few": (
        lambda root: [shutil.rmtree(path) for path in root.glob("*/train/bochum")],
        ["leftImg8bit/train: expected 6 photos, found 3"],
    ),
    "a missing photo": (
        removed(PHOTO),
        [f"{PHOTO}: expected a photo, as of all files of `gtFine`", "expected 3 photos, found 2"],
    ),
    "a missing label": (removed(LABEL), [f"{LABEL}: expected a file", "as of 1 of them"]),
    "a missing disparity": (removed(DEPTH), [f"{DEPTH}: expected a file", "found nothing"]),
    "ids for training": (
        lambda root: (root / LABEL).rename(root / LABEL.replace("labelIds", "labelTrainIds")),
        [f"{LABEL}: expected a file, as of all photos"],
    ),
    "another name": (
        lambda root: (root / PHOTO).rename(root / PHOTO.replace("000007", "7")),
        ["lindau_7_000019_gtFine_labelIds.png: expected a file"],
    ),
    "an empty file": (
        rewritten(PHOTO, lambda _: b""),
        [f"{PHOTO}: expected a PNG, found an empty file", "Copy it again"],
    ),
    "a folder for a file": (made_a_folder(DEPTH), [f"{DEPTH}: expected a PNG"]),
    "a page": (
        rewritten(LABEL, lambda _: b"<html>You must log in to download this file.</html>"),
        [f"{LABEL}: expected a PNG, found the file does not begin as a PNG"],
    ),
    "a torn header": (
        rewritten(LABEL, lambda content: content[:20]),
        [f"{LABEL}: expected a PNG"],
    ),
    "colours for label ids": (
        stored(LABEL, lambda array: np.stack([array] * 3, axis=-1)),
        [f"{LABEL}: expected 8 bits of grey, the label ids, found 8 bits of colours"],
    ),
    "a palette for label ids": (with_palette, [f"{LABEL}: expected 8 bits of grey", "a palette"]),
    "a grey photo": (
        stored(PHOTO, lambda array: array[..., 0]),
        [f"{PHOTO}: expected 8 bits of red, green and blue, found 8 bits of grey"],
    ),
    "a transparent photo": (
        stored(PHOTO, lambda array: np.concatenate([array, array[..., :1]], axis=-1)),
        [f"{PHOTO}: expected 8 bits of red, green and blue, found 8 bits of colours, transparent"],
    ),
    "disparities of 8 bits": (
        stored(DEPTH, lambda array: (array // 256).astype("u1")),
        [f"{DEPTH}: expected 16 bits of grey, found 8 bits of grey"],
    ),
    "another size": (
        stored(PHOTO, lambda array: array[:-1]),
        [f"{PHOTO}: expected a whole multiple of 16x12 pixels, found 64x47", "Set `size`"],
    ),
    "another shape": (
        stored(DEPTH, lambda array: array[:, :32]),
        [f"{DEPTH}: expected a whole multiple of 16x12 pixels, found 32x48"],
    ),
    "smaller than what is trained on": (
        stored(LABEL, lambda array: array[:6, :8]),
        [f"{LABEL}: expected a whole multiple of 16x12 pixels, found 8x6"],
    ),
}
VALUES: dict[str, tuple[Break, list[str]]] = {
    "a torn photo": (
        rewritten(PHOTO, lambda content: content[: len(content) // 2]),
        [f"{PHOTO}: expected a PNG, found"],
    ),
    "a label id too many": (
        stored(LABEL, lambda array: np.where(array == 5, 40, array).astype("u1")),
        [f"{LABEL}: expected label ids from 0 to 33, found 40", "no ids for training"],
    ),
    "more pixels than are opened": (
        said_to_be_huge(PHOTO),
        [f"{PHOTO}: expected a PNG, found Image size (192000000 pixels) exceeds", "attack. Copy"],
    ),
    "one colour": (
        stored(PHOTO, lambda array: array * 0),
        [f"{PHOTO}: expected a photo, found one colour"],
    ),
    "nothing measured": (
        stored(DEPTH, lambda array: array * 0),
        [f"{DEPTH}: expected disparities, found zeros alone"],
    ),
}


def labels_for_training(root: Path) -> None:
    for path in (root / "gtFine/val").glob("*/*"):
        change = stored(str(path.relative_to(root)), _at_most_18)
        change(root)


def _at_most_18(array: np.ndarray) -> np.ndarray:
    return np.where(array > 18, 255, array).astype("u1")


SETS: dict[str, tuple[Break, list[str]]] = {
    "ids for training in all labels": (
        labels_for_training,
        ["gtFine/val: expected label ids beyond 18", "as ids for training are"],
    ),
    "a photo of both splits": (
        lambda root: shutil.copy(
            root / PHOTO, root / "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"
        ),
        [f"{PHOTO}: expected an image that no other sample has, found that of"],
    ),
}


@pytest.mark.parametrize(("broken", "told"), SETS.values(), ids=SETS)
def test_what_only_several_files_show_is_found_by_the_check(
    whole: Path, tmp_path: Path, broken: Break, told: list[str]
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    broken(root)
    said = found(root, values=True)
    assert [text for text in told if text not in said] == []


@pytest.mark.parametrize(("broken", "told"), BROKEN.values(), ids=BROKEN)
def test_missing_torn_and_missized_files_are_found_before_training(
    whole: Path, tmp_path: Path, broken: Break, told: list[str]
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    broken(root)
    said = found(root, values=False)
    assert [text for text in told if text not in said] == []
    assert found(root, values=True)


@pytest.mark.parametrize(("broken", "told"), VALUES.values(), ids=VALUES)
def test_values_that_cannot_be_are_found_by_the_check_and_when_they_are_read(
    whole: Path, tmp_path: Path, broken: Break, told: list[str]
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    broken(root)
    said = found(root, values=True)
    assert [text for text in told if text not in said] == []
    with pytest.raises(DataBroken, match="lindau_000007"):
        read(root)
