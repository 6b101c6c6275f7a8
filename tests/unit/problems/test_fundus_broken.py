"""Fundus photos of the user's: broken files are refused by rule, finding and way out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.problems.breaking import Break, edited, made_a_folder, removed, rewritten
from tests.unit.problems.fundus_trees import (
    of_diaretdb1,
    of_kaggle,
    write_diaretdb1,
    write_kaggle,
)
from trainers.problems.errors import DataBroken, ProblemError
from trainers.problems.fundus_files import FundusFiles

LABELS, PHOTO = "trainLabels.csv", "train/10_left.jpeg"
LIST, TESTED = "ddb1_v02_01_train_plain.txt", "ddb1_v02_01_test_plain.txt"
IMAGE, MARKED = "images/diaretdb1_image009.png", "groundtruth/diaretdb1_image009_02_plain.xml"


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kaggle(tmp_path_factory.mktemp("kaggle") / "dr")


@pytest.fixture(scope="module")
def diaretdb1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_diaretdb1(tmp_path_factory.mktemp("ddb1") / "ddb1_v02_01")


def marked(change: Callable[[str], str]) -> Break:
    return edited(MARKED, change)


def another_size(root: Path) -> None:
    Image.new("RGB", (20, 15)).save(root / IMAGE)


BROKEN_KAGGLE: dict[str, tuple[Break, list[str]]] = {
    "no root": (shutil.rmtree, ["does not exist"]),
    "no table": (removed(LABELS), [LABELS, "Kaggle's table of levels, found nothing"]),
    "a folder for the table": (made_a_folder(LABELS), [LABELS, "found a folder"]),
    "an empty table": (rewritten(LABELS, lambda _: b"\n"), ["expected a list, found nothing"]),
    "a table that is no text": (rewritten(LABELS, lambda _: b"\xff\xfe\x80"), ["a list as text"]),
    "names of columns that are missing": (
        edited(LABELS, lambda text: text.replace("level", "diagnosis")),
        ["expected a column `level`, found image, diagnosis", "training labels"],
    ),
    "no names of columns": (
        edited(LABELS, lambda text: text.partition("\n")[2]),
        ["expected a column `image`"],
    ),
    "names alone": (rewritten(LABELS, lambda _: b"image,level\n"), ["photos below its first line"]),
    "a cell too few": (
        edited(LABELS, lambda text: text.replace("10_right,1", "10_right")),
        ["expected 2 cells in line 3, found 1"],
    ),
    "a level out of range": (
        edited(LABELS, lambda text: text.replace("10_left,0", "10_left,5")),
        ["expected a level from 0 to 4 in line 2, found '5'", "drop the photo"],
    ),
    "a level that is none": (
        edited(LABELS, lambda text: text.replace("10_left,0", "10_left,")),
        ["expected a level from 0 to 4 in line 2, found ''"],
    ),
    "a photo twice": (
        edited(LABELS, lambda text: text.replace("10_right", "10_left")),
        ["expected each photo once, found 10_left again in line 3"],
    ),
    "a path for a photo": (
        edited(LABELS, lambda text: text.replace("10_left", "../10_left")),
        ["expected the name of a photo in line 2"],
    ),
    "fewer photos": (
        edited(LABELS, lambda text: text.replace("10_left,0\n10_right,1\n", "")),
        ["expected 10 photos for train, found 8", "say in the options"],
    ),
    "a missing photo": (removed(PHOTO), [PHOTO, "expected a photo", "found nothing"]),
    "an empty photo": (rewritten(PHOTO, lambda _: b""), [PHOTO, "an empty file", "Unpack"]),
}
BROKEN_DIARETDB1: dict[str, tuple[Break, list[str]]] = {
    "no list": (removed(LIST), [LIST, "DiaretDB1's list", "found nothing"]),
    "photos alone": (
        edited(LIST, lambda text: "\n".join(line.split()[0] for line in text.splitlines())),
        ["expected a photo and files of markings that end in .xml in line 1"],
    ),
    "a photo twice": (
        edited(LIST, lambda text: text.replace("image012", "image009")),
        ["expected each photo once", "image009.png again in line 3"],
    ),
    "an expert twice": (
        edited(LIST, lambda text: text.replace("009_02", "009_01")),
        ["each expert's file once, found one twice in line 2"],
    ),
    "a photo in both lists": (
        edited(TESTED, lambda text: text.replace("image001", "image005")),
        [TESTED, "photos that are not for training", "image005.png"],
    ),
    "a path out of the folder": (
        edited(LIST, lambda text: text.replace("images/", "../images/", 1)),
        ["expected paths below its folder in line 1"],
    ),
    "a missing photo": (removed(IMAGE), [IMAGE, "expected a photo"]),
    "a photo that is none": (rewritten(IMAGE, lambda _: b"<html>"), [IMAGE, "a picture"]),
    "missing markings": (removed(MARKED), [MARKED, "an expert's file of markings, found nothing"]),
    "torn markings": (marked(lambda text: text[:300]), [MARKED, "expected markings as XML"]),
    "an encoding that there is not": (
        rewritten(MARKED, lambda _: b"<?xml version='1.0' encoding='UTP-8'?><markinglist/>"),
        [MARKED, "expected markings as XML, found unknown encoding: UTP-8. Copy"],
    ),
    "another document": (
        rewritten(MARKED, lambda _: b"<annotation/>"),
        ["<markinglist>, found <annotation> without it"],
    ),
    "no coordinates": (
        marked(lambda text: text.replace("<coords2d>30,20</coords2d>", "")),
        ["expected coordinates as in 713,532 of marking 1, found none", "Copy it again"],
    ),
    "coordinates that are none": (
        marked(lambda text: text.replace("30,20", "30;20")),
        ["expected coordinates as in 713,532 of marking 1, found '30;20'"],
    ),
    "a coordinate that is no number": (
        marked(lambda text: text.replace("30,20", "30,nan")),
        ["expected a number as coordinate of marking 1, found 'nan'"],
    ),
    "no radius": (
        marked(lambda text: text.replace("<radius>6</radius>", "")),
        ["expected radii above 0 of the circleregion of marking 1", "found none"],
    ),
    "a radius of 0": (
        marked(lambda text: text.replace(">6<", ">0<")),
        ["radii above 0", "found 0"],
    ),
    "no region": (
        marked(lambda text: text.replace("circleregion", "boxregion")),
        ["expected one of circleregion, ellipseregion, polygonregion in marking 1, found 0"],
    ),
    "a polygon of two corners": (
        marked(lambda text: text.replace("<coords2d>3,13</coords2d>", "")),
        ["expected three coordinates or more of the polygon of marking 2, found 2"],
    ),
    "an unknown lesion": (
        marked(lambda text: text.replace("Hard_exudates", "Drusen")),
        ["Red_small_dots", "as <markingtype> of marking 1, found 'Drusen'", "`ignored`"],
    ),
    "nobody knows how sure": (
        marked(lambda text: text.replace("High", "90 %", 1)),
        ["expected High, Medium, Low as <confidencelevel> of marking 1, found '90 %'"],
    ),
    "a photo of another size": (
        another_size,
        ["expected coordinates in the photo, 20x15, of marking 1, found 30,20", "not shrunk"],
    ),
}


@pytest.mark.parametrize(("broken", "told"), BROKEN_KAGGLE.values(), ids=BROKEN_KAGGLE)
def test_kaggles_broken_files_are_found_before_training(
    kaggle: Path, tmp_path: Path, broken: Break, told: list[str]
) -> None:
    _refused(of_kaggle, kaggle, tmp_path, broken, told)


@pytest.mark.parametrize(("broken", "told"), BROKEN_DIARETDB1.values(), ids=BROKEN_DIARETDB1)
def test_diaretdb1s_broken_files_are_found_before_training(
    diaretdb1: Path, tmp_path: Path, broken: Break, told: list[str]
) -> None:
    _refused(of_diaretdb1, diaretdb1, tmp_path, broken, told)


def _refused(
    of: Callable[[Path], FundusFiles], whole: Path, folder: Path, broken: Break, told: list[str]
) -> None:
    root = shutil.copytree(whole, folder / "copy")
    broken(root)
    with pytest.raises(ProblemError) as error:
        _ = of(root).card
    assert [text for text in told if text not in str(error.value)] == []


def test_a_torn_photo_is_found_by_the_check_and_named_when_read(
    kaggle: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(kaggle, tmp_path / "copy")
    rewritten(PHOTO, lambda content: content[: len(content) // 2])(root)
    problem = of_kaggle(root)
    assert "10_left.jpeg: expected a picture" in "\n".join(map(str, problem.check_files()))
    tree = problem.samples(root)
    into = {name: np.zeros(spec.shape, spec.dtype) for name, spec in tree.arrays.items()}
    with pytest.raises(DataBroken, match=r"10_left\.jpeg cannot be read"):
        tree.read(PHOTO, into)
