"""A small CelebA, written as its authors write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trainers.problems.celeba import ATTRIBUTES

N_FACES = {"train": 6, "validation": 3, "test": 2}
FACES: Mapping[str, Any] = {
    **{f"{split}_samples": n for split, n in N_FACES.items()},
    "size": 32,
    "attributes": ["Smiling", "Bald"],
}
"""Options of the problem on such files."""
SIZE = (178, 218)


def has(number: int, attribute: int) -> bool:
    """Whether a face has an attribute."""
    return (number * 7 + attribute * 3) % 5 < 2


def write_celeba(root: Path) -> Path:
    """``img_align_celeba/000001.jpg`` and so on, and two lists."""
    folder = root / "img_align_celeba"
    folder.mkdir(parents=True)
    draws = np.random.default_rng(0)
    names = [f"{number + 1:06d}.jpg" for number in range(sum(N_FACES.values()))]
    for name in names:
        few = draws.integers(0, 256, (7, 6, 3)).astype("u1")
        Image.fromarray(few).resize(SIZE).save(folder / name, quality=95)
    rows = (
        f"{name} " + " ".join(f"{1 if has(at, column) else -1:2d}" for column in range(40)) + " "
        for at, name in enumerate(names)
    )
    (root / "list_attr_celeba.txt").write_text(
        "\n".join([str(len(names)), " ".join(ATTRIBUTES) + " ", *rows, ""])
    )
    splits = [at for at, n in enumerate(N_FACES.values()) for _ in range(n)]
    (root / "list_eval_partition.txt").write_text(
        "".join(f"{name} {split}\n" for name, split in zip(names, splits, strict=True))
    )
    return root
