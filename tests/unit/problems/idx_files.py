"""Small IDX files, written as LeCun's archives have them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

PAIRS: Mapping[str, Any] = {
    "train_samples": 60,
    "test_samples": 30,
    "validation_samples": 30,
    "train_pairs": 12,
    "validation_pairs": 6,
    "test_pairs": 5,
    "width": 8,
}
"""Options of problems on such files."""
STEMS = {"train": "train", "test": "t10k"}


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as an IDX file."""
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype("u1").tobytes()


def digits(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images in which row `label` is bright, and labels in turn."""
    draws = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    images = draws.integers(0, 100, (n, 28, 28))
    images[np.arange(n), labels] = 255
    return images, labels


def write_idx(root: Path, *, packed: bool = True, mark: str = "-") -> Path:
    """``train-images-idx3-ubyte.gz`` and three others."""
    root.mkdir(parents=True, exist_ok=True)
    for seed, (split, stem) in enumerate(STEMS.items()):
        images, labels = digits(PAIRS[f"{split}_samples"], seed)
        for kind, array in (("images", images), ("labels", labels)):
            path = root / f"{stem}-{kind}{mark}idx{array.ndim}-ubyte"
            content = idx(array)
            if packed:
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content, mtime=0))
            else:
                path.write_bytes(content)
    return root
