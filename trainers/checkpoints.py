"""Checkpoint files: written aside and renamed, loaded as plain tensors only."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from trainers.errors import CheckpointUnreadable


def save(state: dict[str, Any], path: Path) -> int:
    """Write `state` so that a reader sees all of it or none; returns the size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    with aside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return path.stat().st_size


def load(path: Path, device: str) -> dict[str, Any]:
    """Read a checkpoint.

    Raises:
        CheckpointUnreadable: The file is missing, torn, or holds more than plain tensors.
    """
    try:
        return dict(torch.load(path, map_location=device, weights_only=True))
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise CheckpointUnreadable(
            f"A checkpoint must be readable. Got {path}: {type(error).__name__}: {error}. "
            "The run starts again from its beginning if you delete the file."
        ) from error
