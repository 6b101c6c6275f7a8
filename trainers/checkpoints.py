"""Checkpoint files: written aside and renamed, loaded as plain tensors only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from trainers.errors import CheckpointUnreadable

_WAY_OUT = "Without the file, the run goes on from an older one or begins again: delete it."


def save(state: dict[str, Any], path: Path) -> int:
    """Write `state` so that a reader sees all of it or none; returns the size in bytes.

    Raises:
        OSError: The disk is full or the folder not writable; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path.stat().st_size


def load(path: Path, device: str) -> dict[str, Any]:
    """Read a checkpoint.

    Raises:
        CheckpointUnreadable: The file is missing, torn, or holds more than plain tensors.
    """
    try:
        return dict(torch.load(path, map_location=device, weights_only=True))
    except Exception as error:  # a torn file makes the unpickler stumble in any way it can
        raise CheckpointUnreadable(
            f"A checkpoint must be readable. Got {path}: {type(error).__name__}: {error}. "
            f"{_WAY_OUT}"
        ) from error


def misfit(path: Path, error: Exception) -> CheckpointUnreadable:
    """What to raise when a checkpoint was read, but is not one of this run's."""
    return CheckpointUnreadable(
        f"A checkpoint must hold the state of its own run. Got {path}: "
        f"{type(error).__name__}: {error}. {_WAY_OUT}"
    )
