"""Small data sets in the official layouts, written as their authors write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = (12, 16)
N_SAMPLES = {"train": 6, "val": 3}
NYUV2: Mapping[str, Any] = {
    "size": [*SIZE],
    "train_samples": N_SAMPLES["train"],
    "test_samples": N_SAMPLES["val"],
    "validation_samples": 2,
    "network": "unet",
    "width": 2,
    "layers": 1,
}
"""Options of problems on such a tree."""


def dense_sample(
    number: int, *, n_classes: int, size: tuple[int, int] = SIZE
) -> dict[str, NDArray[Any]]:
    """Image, label, depth and normal as the MTAN authors' files have them."""
    draws = np.random.default_rng(number)
    height, width = size
    normal = draws.normal(size=(height, width, 3))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    normal[draws.random((height, width)) < 0.1] = 0
    depth = draws.uniform(0.5, 5, (height, width, 1))
    depth[draws.random((height, width)) < 0.1] = 0
    return {
        "image": draws.random((height, width, 3)),
        "label": draws.integers(-1, n_classes, (height, width)).astype(np.float64),
        "depth": depth.astype(np.float32),
        "normal": normal.astype(np.float32),
    }


def write_dense_tree(
    root: Path,
    *,
    folders: Sequence[str] = ("image", "label", "depth", "normal"),
    n_classes: int = 13,
    n_samples: Mapping[str, int] = N_SAMPLES,
) -> Path:
    """``<root>/{train,val}/<folder>/<i>.npy``."""
    for at, (split, n) in enumerate(n_samples.items()):
        for number in range(n):
            sample = dense_sample(1000 * at + number, n_classes=n_classes)
            for folder in folders:
                path = root / split / folder / f"{number}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, sample[folder.split("_")[0]])
    return root


def write_nyuv2(root: Path) -> Path:
    return write_dense_tree(root)


def write_cityscapes(root: Path) -> Path:
    """With both kinds of labels, as the archive has them."""
    return write_dense_tree(root, folders=("image", "label_7", "label_19", "depth"), n_classes=7)
