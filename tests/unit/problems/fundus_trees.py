"""A small Kaggle DR and a small DiaretDB1, written as their authors write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trainers.problems.fundus_files import FundusFiles

PHOTO = (60, 46)
"""Width and height."""
KAGGLE: Mapping[str, Any] = {
    "train_samples": 6,
    "validation_samples": 2,
    "test_samples": 2,
    "size": 32,
    "width": 2,
}
"""Options of the problem on such files."""
DIARETDB1: Mapping[str, Any] = {
    "trained_on": "diaretdb1",
    "judged_on": "diaretdb1",
    "train_samples": 2,
    "validation_samples": 1,
    "test_samples": 2,
    "size": 32,
    "width": 2,
}
LEVELS = {
    f"{patient}_{eye}": (patient + i) % 5
    for patient in (10, 13, 15, 16, 17)
    for i, eye in enumerate(("left", "right"))
}
LISTS = {"train": (5, 9, 12), "test": (1, 2)}


def of_kaggle(root: Path, **changed: Any) -> FundusFiles:
    return FundusFiles(**{**KAGGLE, "root": str(root), "loaders": 0, **changed})


def of_diaretdb1(root: Path, **changed: Any) -> FundusFiles:
    return FundusFiles(**{**DIARETDB1, "root": str(root), "loaders": 0, **changed})


def write_kaggle(root: Path) -> Path:
    """``trainLabels.csv`` and ``train/10_left.jpeg``."""
    (root / "train").mkdir(parents=True)
    for number, name in enumerate(LEVELS):
        _photo(root / "train" / f"{name}.jpeg", number)
    rows = "".join(f"{name},{level}\n" for name, level in LEVELS.items())
    (root / "trainLabels.csv").write_text(f"image,level\n{rows}")
    return root


def write_diaretdb1(root: Path) -> Path:
    """The set's version 2.1: two lists, photos, four experts a photo.

    All mark a circle of hard exudates on each photo but the first, three a polygon of haemorrhages,
    one an ellipse of red small dots. On the first photo nobody marks a lesion, but one its disc.
    """
    for folder in ("images", "groundtruth"):
        (root / folder).mkdir(parents=True)
    for split, numbers in LISTS.items():
        lines = []
        for number in numbers:
            name = f"diaretdb1_image{number:03d}"
            _photo(root / "images" / f"{name}.png", number)
            experts = [f"groundtruth/{name}_{expert:02d}_plain.xml" for expert in range(1, 5)]
            for expert, path in enumerate(experts):
                marks = markings(expert) if number != 1 else [disc()][: expert == 0]
                (root / path).write_text(document(marks))
            lines.append(" ".join([f"images/{name}.png", *experts]))
        (root / f"ddb1_v02_01_{split}_plain.txt").write_text("\n".join(lines) + "\n")
    return root


def markings(expert: int) -> list[str]:
    """What one of four experts marks."""
    found = [marking("Hard_exudates", "High", circle(30, 20, 6))]
    if expert < 3:
        corners = "".join(f"<coords2d>{x},{y}</coords2d>" for x, y in ((3, 3), (13, 3), (3, 13)))
        found.append(marking("Haemorrhages", "High", f"<polygonregion>{corners}</polygonregion>"))
    if expert == 3:
        found.append(marking("Red_small_dots", "Medium", ellipse(48, 36, 8, 2, 90)))
    return found


def circle(x: int, y: int, radius: int) -> str:
    return (
        f"<circleregion><centroid><coords2d>{x},{y}</coords2d></centroid>"
        f"<radius>{radius}</radius></circleregion>"
    )


def ellipse(x: int, y: int, along: int, across: int, angle: int) -> str:
    return (
        f"<ellipseregion><centroid><coords2d>{x},{y}</coords2d></centroid>"
        f'<radius direction="x">{along}</radius><radius direction="y">{across}</radius>'
        f"<angle>{angle}</angle></ellipseregion>"
    )


def disc() -> str:
    return marking("Disc", "High", circle(20, 20, 10))


def marking(kind: str, sure: str, region: str) -> str:
    return (
        f"<marking>{region}<representativepoint><coords2d>1,1</coords2d></representativepoint>"
        f"<confidencelevel>{sure}</confidencelevel><markingtype>{kind}</markingtype></marking>"
    )


def document(marks: Sequence[str]) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<imgannotooldata><header><creator>an expert'
        '</creator><software version="1.0">ImgAnnoTool</software></header>'
        f"<imagename>x.png</imagename><markinglist>{''.join(marks)}</markinglist></imgannotooldata>"
    )


def _photo(path: Path, seed: int) -> None:
    few = np.random.default_rng(seed).integers(40, 200, (5, 6, 3)).astype("u1")
    Image.fromarray(few).resize(PHOTO).save(path)
