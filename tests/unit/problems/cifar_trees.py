"""Small files of CIFAR and CIFAR-N, as torchvision and its authors have them."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

TEN: dict[str, Any] = {
    "train_samples": 100,
    "test_samples": 20,
    "validation_samples": 40,
    "network": "mlp",
    "width": 8,
}
HUNDRED = TEN | {"train_samples": 200, "test_samples": 100, "validation_samples": 100}
HUMAN = {10: "CIFAR-10_human.pt", 100: "CIFAR-100_human.pt"}


def images(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 3_072), dtype=np.uint8)


def batch(n: int, seed: int, n_classes: int) -> dict[str, Any]:
    """A batch of CIFAR-10 or CIFAR-100: rows, and labels in turn."""
    numbers = [number % n_classes for number in range(n)]
    found: dict[str, Any] = {"batch_label": "a batch", "data": images(n, seed)}
    if n_classes == 10:
        return found | {"labels": numbers}
    return found | {"fine_labels": numbers, "coarse_labels": [n % 20 for n in numbers]}


def write(path: Path, value: Any, protocol: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol=protocol))


def saved(value: Any, *, archive: bool = True) -> bytes:
    """What `torch.save` writes, or wrote before torch 1.6."""
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=archive)
    return stream.getvalue()


def human(n: int, n_classes: int) -> dict[str, np.ndarray]:
    """CIFAR-N's labels of n training images in batches of `batch`: every fifth is another one."""
    per_file = n // 5 if n_classes == 10 else n
    clean = np.arange(n) % per_file % n_classes
    given = np.where(np.arange(n) % 5 == 0, (clean + 1) % n_classes, clean)
    if n_classes == 100:
        return {"clean_label": clean, "noisy_label": given}
    others = ("aggre_label", "worse_label", "random_label1", "random_label2", "random_label3")
    return {"clean_label": clean} | dict.fromkeys(others, given)


def write_ten(root: Path, folder: str = "cifar-10-batches-py") -> Path:
    for number in range(1, 6):
        write(root / folder / f"data_batch_{number}", batch(20, number, 10))
    write(root / folder / "test_batch", batch(20, 6, 10))
    (root / HUMAN[10]).write_bytes(saved(human(100, 10)))
    return root


def write_hundred(root: Path, folder: str = "cifar-100-python") -> Path:
    write(root / folder / "train", batch(200, 1, 100))
    write(root / folder / "test", batch(100, 2, 100))
    (root / HUMAN[100]).write_bytes(saved(human(200, 100)))
    return root
