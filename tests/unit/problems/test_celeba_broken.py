"""CelebA's files: what is refused before training starts, and what only the check finds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.problems.breaking import (
    Break,
    edited,
    made_a_dead_link,
    made_a_file,
    removed,
    rewritten,
    said_to_be_huge,
)
from tests.unit.problems.face_files import FACES, write_celeba
from trainers.problems.celeba import CelebA
from trainers.problems.errors import DataBroken, DataMissing

ATTRS, SPLITS = "list_attr_celeba.txt", "list_eval_partition.txt"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("faces") / "celeba")


def found(root: Path, *, values: bool) -> str:
    return "\n".join(map(str, CelebA(**FACES).samples(root).findings(values=values)))


def read(root: Path, name: str) -> None:
    samples = CelebA(**FACES).samples(root)
    samples.read(name, {of: np.zeros(it.shape, it.dtype) for of, it in samples.arrays.items()})


def line(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """Change one line of a text, counted from 1."""

    def changed(text: str) -> str:
        lines = text.split("\n")
        lines[number - 1] = change(lines[number - 1])
        return "\n".join(lines)

    return changed


def picture(change: Callable[[bytes], bytes]) -> Break:
    return rewritten("img_align_celeba/000003.jpg", change)


def resized(root: Path) -> None:
    Image.new("RGB", (64, 64)).save(root / "img_align_celeba/000003.jpg")


def not_unpacked(root: Path) -> None:
    shutil.rmtree(root / "img_align_celeba")
    (root / "img_align_celeba.zip").write_text("")


BROKEN: dict[str, tuple[Break, list[str]]] = {
    "no root": (shutil.rmtree, ["expected the folder of the data set, found nothing"]),
    "no faces": (
        lambda root: shutil.rmtree(root / "img_align_celeba"),
        ["img_align_celeba: expected a folder of faces, found nothing", "Get and unpack it"],
    ),
    "faces that are still packed": (not_unpacked, ["Unpack img_align_celeba.zip there"]),
    "a file for a folder": (
        made_a_file("img_align_celeba"),
        ["expected a folder of faces, found a file"],
    ),
    "no attributes": (
        removed(ATTRS),
        [f"{ATTRS}: expected the list of that name, found nothing"],
    ),
    "no splits": (
        removed(SPLITS),
        [f"{SPLITS}: expected the list of that name, found nothing"],
    ),
    "an empty list": (
        edited(SPLITS, lambda _: "\n"),
        [f"{SPLITS}: expected a list, found nothing"],
    ),
    "a missing face": (
        removed("img_align_celeba/000005.jpg"),
        ["000005.jpg: expected a face", "found nothing, as of 1 of them", "Unpack the set again"],
    ),
    "a link to nothing": (
        made_a_dead_link("img_align_celeba/000003.jpg"),
        ["000003.jpg: expected a picture, found nothing"],
    ),
    "an attribute that all have": (
        edited(ATTRS, lambda text: text.replace("-1", " 1")),
        [f"{ATTRS}: expected faces with and without Smiling", "found 6 with it"],
    ),
    "an empty face": (picture(lambda _: b""), ["000003.jpg: expected a picture, found nothing"]),
    "a list of splits that ends too soon": (
        edited(SPLITS, lambda text: text[:-10]),
        [f"{SPLITS}: expected a face and 0, 1 or 2 in line 11"],
    ),
    "fewer faces in the splits": (
        edited(SPLITS, lambda text: text[:-13]),
        [f"{SPLITS}: expected 2 faces of test, found 1", "say in the options"],
    ),
    "another split": (
        edited(SPLITS, line(2, lambda text: text[:-1] + "3")),
        [f"{SPLITS}: expected a face and 0, 1 or 2 in line 2, found '000002.jpg 3'"],
    ),
    "a face in two splits": (
        edited(SPLITS, line(11, lambda _: "000001.jpg 2")),
        [f"{SPLITS}: expected each face once, found 000001.jpg again in line 11"],
    ),
    "commas in the splits": (
        edited(SPLITS, lambda text: text.replace(" ", ",")),
        [f"{SPLITS}: expected a face and 0, 1 or 2 in line 1"],
    ),
    "a path in the splits": (
        edited(SPLITS, line(1, lambda text: f"../{text}")),
        [f"{SPLITS}: expected the name of a file in line 1"],
    ),
    "attributes without a number": (
        edited(ATTRS, lambda text: text.partition("\n")[2]),
        [f"{ATTRS}: expected the number of faces in line 1", "5_o_Clock"],
    ),
    "attributes without names": (
        edited(ATTRS, line(2, lambda _: "")),
        [f"{ATTRS}: expected names of attributes that differ in line 2"],
    ),
    "an attribute twice": (
        edited(ATTRS, lambda text: text.replace("Bangs", "Bald")),
        [f"{ATTRS}: expected names of attributes that differ in line 2"],
    ),
    "another attribute": (
        edited(ATTRS, lambda text: text.replace("Smiling", "Smile")),
        [f"{ATTRS}: expected an attribute Smiling, found 40 others"],
    ),
    "a value too few": (
        edited(ATTRS, line(5, lambda text: text[:-4])),
        [f"{ATTRS}: expected 40 values in line 5, found 39"],
    ),
    "a value too many": (
        edited(ATTRS, line(5, lambda text: text + "1")),
        [f"{ATTRS}: expected 40 values in line 5, found 41"],
    ),
    "0 for no": (
        edited(ATTRS, lambda text: text.replace("-1", " 0", 1)),
        [f"{ATTRS}: expected 1 or -1 of 000001.jpg, found '0'"],
    ),
    "a value that is none": (
        edited(ATTRS, lambda text: text.replace("-1", "+1", 1)),
        [f"{ATTRS}: expected 1 or -1 of 000001.jpg, found '+1'"],
    ),
    "fewer faces than it says": (
        edited(ATTRS, lambda text: text.rstrip().rpartition("\n")[0] + "\n"),
        [f"{ATTRS}: expected 11 faces, by line 1, found 10"],
    ),
    "a face twice": (
        edited(ATTRS, lambda text: text.replace("000002.jpg", "000001.jpg")),
        [f"{ATTRS}: expected each face once, found 000001.jpg twice"],
    ),
    "a face without attributes": (
        edited(ATTRS, lambda text: text.replace("000002.jpg", "000099.jpg")),
        [f"{ATTRS}: expected a line of 000002.jpg", "found none, as of 1 faces"],
    ),
    "a list that is no text": (
        lambda root: (root / ATTRS).write_bytes(b"\xff\xfe\x00\x80"),
        [f"{ATTRS}: expected a list as text"],
    ),
}
PICTURES: dict[str, tuple[Break, list[str]]] = {
    "a torn face": (
        picture(lambda content: content[: len(content) // 2]),
        ["000003.jpg: expected a picture, found image file is truncated"],
    ),
    "a page for a face": (
        picture(lambda _: b"<html>Not found</html>"),
        ["000003.jpg: expected a picture, found cannot identify"],
    ),
    "more pixels than are opened": (
        said_to_be_huge("img_align_celeba/000003.jpg"),
        ["000003.jpg: expected a picture, found Image size (192000000 pixels) exceeds"],
    ),
    "another size": (resized, ["000003.jpg: expected 178x218 pixels, found 64x64"]),
}


@pytest.mark.parametrize(("broken", "told"), BROKEN.values(), ids=BROKEN)
def test_missing_and_torn_files_and_lists_are_found_before_training(
    whole: Path, tmp_path: Path, broken: Break, told: list[str]
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    broken(root)
    said = found(root, values=False)
    assert [text for text in told if text not in said] == []
    problem = CelebA(**FACES, root=str(root))
    with pytest.raises((DataBroken, DataMissing)):
        _ = problem.card


@pytest.mark.parametrize(("broken", "told"), PICTURES.values(), ids=PICTURES)
def test_pictures_that_are_none_are_found_by_the_check_and_named_when_read(
    whole: Path, tmp_path: Path, broken: Break, told: list[str]
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    broken(root)
    said = found(root, values=True)
    assert [text for text in told if text not in said] == []
    with pytest.raises(DataBroken, match=r"000003\.jpg"):
        read(root, "000003.jpg")
