"""A small Cityscapes, written as its authors write it: pictures by city."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.unit.problems.trees import NYUV2, SIZE

TIMES = 4
"""How often the size that is trained on goes into the pictures."""
STREETS: Mapping[str, Any] = {**NYUV2, "layout": "official"}
CITIES = {"train": ("aachen", "bochum"), "val": ("lindau",)}
N_EACH = 3


def street_sample(number: int) -> dict[str, np.ndarray]:
    """Photo, label ids and disparities of a street."""
    draws = np.random.default_rng(number)
    height, width = TIMES * SIZE[0], TIMES * SIZE[1]
    disparity = draws.integers(257, 30_000, (height, width)).astype("u2")
    disparity[draws.random((height, width)) < 0.1] = 0
    return {
        "leftImg8bit": draws.integers(0, 256, (height, width, 3)).astype("u1"),
        "gtFine_labelIds": draws.integers(0, 34, (height, width)).astype("u1"),
        "disparity": disparity,
    }


def write_streets(root: Path) -> Path:
    """``leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png`` and so on."""
    number = 0
    for split, cities in CITIES.items():
        for city in cities:
            for _ in range(N_EACH):
                for kind, array in street_sample(number).items():
                    folder = root / kind.partition("_")[0] / split / city
                    folder.mkdir(parents=True, exist_ok=True)
                    picture = Image.fromarray(array)
                    picture.save(folder / f"{city}_{number:06d}_000019_{kind}.png")
                number += 1
    return root
