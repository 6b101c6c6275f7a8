"""Checkpoint files: written aside and renamed, loaded as plain tensors only.

A file that is behind a URL is written at once, by the rules of its store. A torn one harms nothing:
no run goes on from a file before it has been reported as written, and no two have the same name.

A file holds ``{"runs": {run number: state}}``, one run of the solo engine or the runs of a pack;
the state of a run is the same in both, so that either engine goes on from the other's files.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from trainers import places
from trainers.errors import CheckpointUnreadable

State = dict[str, Any]
"""Of one run: ``network``, ``optimizer``, ``params``, ``state`` and ``epoch``."""

_WAY_OUT = "Without the file, the run goes on from an older one or begins again: delete it."


def save(content: Mapping[str, Any], place: str) -> int:
    """Write `content` so that a reader sees all of it or none; returns the size in bytes.

    Args:
        place: Path, or URL for fsspec.

    Raises:
        OSError: The disk is full or the folder not writable; on a file system, nothing is left
            behind.
    """
    if places.is_url(place):
        buffer = io.BytesIO()
        torch.save(dict(content), buffer)
        places.write(place, buffer.getvalue())
        return buffer.getbuffer().nbytes
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            torch.save(dict(content), file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path.stat().st_size


def load(place: str) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, from where a run takes what it needs to its device.

    Raises:
        CheckpointUnreadable: The file is missing, torn, or holds more than plain tensors.
    """
    try:
        file = io.BytesIO(places.read(place)) if places.is_url(place) else place
        return dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # a torn file makes the unpickler stumble in any way it can
        raise CheckpointUnreadable(
            f"A checkpoint must be readable. Got {place}: {type(error).__name__}: {error}. "
            f"{_WAY_OUT}"
        ) from error


class Files:
    """Files of a pack: each is read once, however many runs it holds."""

    def __init__(self) -> None:
        self._read: dict[str, Mapping[str, Any] | CheckpointUnreadable] = {}

    def content(self, place: str) -> Mapping[str, Any]:
        """What a file holds.

        Raises:
            CheckpointUnreadable: The file is missing, torn, or holds more than plain tensors.
        """
        if place not in self._read:
            try:
                self._read[place] = load(place)
            except CheckpointUnreadable as error:
                self._read[place] = error
        found = self._read[place]
        if isinstance(found, CheckpointUnreadable):
            raise found
        return found


def save_runs(states: Mapping[int, State], place: str) -> int:
    """Write the states of runs by their numbers; returns the size of the file in bytes.

    Raises:
        OSError: The disk is full or the folder not writable.
    """
    return save({"runs": dict(states)}, place)


def state_of(run: int, file: Mapping[str, Any]) -> State:
    """One run's state from a loaded file.

    Raises:
        LookupError: The file has no such run.
    """
    return dict(file["runs"][run])


def misfit(place: str, error: Exception) -> CheckpointUnreadable:
    """What to raise when a checkpoint was read, but is not one of this run's."""
    return CheckpointUnreadable(
        f"A checkpoint must hold the state of its own run. Got {place}: "
        f"{type(error).__name__}: {error}. {_WAY_OUT}"
    )
