"""Checkpoint files: written aside and renamed, loaded as plain tensors only.

A file that is behind a URL is written at once, by the rules of its store. A torn one harms nothing:
no run goes on from a file before it has been reported as written, and no two have the same name.

A file holds ``{"runs": {run number: state}}``, one run of the solo engine or the runs of a pack;
the state of a run is the same in both, so that either engine goes on from the other's files.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from time import perf_counter
from typing import IO, Any

import torch

from trainers.errors import CheckpointUnreadable
from trainers.jobs import Checkpoint, Job, Pack
from trainers.keeping import paths

State = dict[str, Any]
"""Of one run: ``network``, ``optimizer``, ``params``, ``state``, ``outside`` and ``epoch``."""

_MOST_LETTERS = 300
"""Of what torch says of a state that does not fit."""
_WAY_OUT = "Without the file, the run goes on from an older one or begins again: delete it."


def save(content: Mapping[str, Any], place: str) -> int:
    """Write `content` so that a reader sees all of it or none; returns the size in bytes.

    Args:
        place: Path, or URL for fsspec.

    Raises:
        OSError: The disk is full, the folder not writable, or a folder in the file's place; on a
            file system, nothing is left behind.
    """
    if paths.is_url(place):
        buffer = io.BytesIO()
        torch.save(dict(content), buffer)
        paths.write(place, buffer.getvalue())
        return buffer.getbuffer().nbytes
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            _save(content, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path.stat().st_size


def _save(content: Mapping[str, Any], file: IO[bytes]) -> None:
    """As `torch.save`, which makes a `RuntimeError` of its own of what a disk says."""
    told: Any = _Told(file)  # all that torch asks of a file
    try:
        torch.save(dict(content), told)
    except Exception:
        if told.error is not None:
            raise told.error from None
        raise


class _Told:
    """A file that keeps what went wrong.

    Attributes:
        error: Why it could not be written; None if it could.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, content: bytes) -> int:
        try:
            return self._file.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()


def load(place: str) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, from where a run takes what it needs to its device.

    Raises:
        CheckpointUnreadable: The file is missing, torn, or holds more than plain tensors.
    """
    try:
        file = io.BytesIO(paths.read(place)) if paths.is_url(place) else place
        return dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # a torn file makes the unpickler stumble in any way it can
        raise CheckpointUnreadable(
            f"A checkpoint must be readable. Got {place}: {_finding(error)}. {_WAY_OUT}"
        ) from error


def _finding(error: Exception) -> str:
    """Why a file could not be read. Torch's own words end with how to run whatever is in it."""
    if isinstance(error, OSError):
        return error.strerror or " ".join(str(error).split())
    if isinstance(error, pickle.UnpicklingError):
        return "it is torn, or holds more than plain tensors, such as a program"
    return "it is torn, or no checkpoint"


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


class Timer:
    """Knows where a pack's checkpoints go, and when the next one is due."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._saved_at = perf_counter()

    def folder(self, epoch: int, *, stopping: bool) -> str | None:
        """Where to save after `epoch`; None if nothing is to be saved.

        A whole run needs no checkpoint; any other gets one at the end of its segment, when it
        is stopped, and from time to time.
        """
        pack = self._pack
        if pack.checkpoints is None or epoch >= pack.training.epochs:
            return None
        due = perf_counter() - self._saved_at >= pack.checkpoint_s
        if not (stopping or due or epoch == pack.until_epoch):
            return None
        return pack.checkpoints

    def saved(self) -> None:
        """A checkpoint was written just now."""
        self._saved_at = perf_counter()


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


def state_for(job: Job, checkpoint: Checkpoint, file: Mapping[str, Any]) -> State:
    """What a job goes on from: its own state, or a copy of another run's without its candidates.

    That run, and other children of it, may go on from the same file in the same process.

    Raises:
        LookupError: The file has no such run.
    """
    if checkpoint.of_run is None:
        return state_of(job.run, file)
    state = state_of(checkpoint.of_run, file)
    state.pop("candidates", None)
    return deepcopy(state)


def no_parent(job: Job) -> CheckpointUnreadable:
    """What to raise when a run that goes on from another one has no checkpoint to go on from."""
    return CheckpointUnreadable(
        f"A child of a population goes on from the checkpoint that its parent had after epoch "
        f"{job.born}. There is none that can be read here: it was not written, is gone, or lies on "
        "another machine. Where several machines train, let `run --checkpoints` name a folder or "
        "URL that all of them see, and run the study anew under another `name`."
    )


def misfit(place: str, error: Exception) -> CheckpointUnreadable:
    """What to raise when a checkpoint was read, but is not one of this run's."""
    return CheckpointUnreadable(
        f"A checkpoint must hold the state of its own run. Got {place}: "
        f"{type(error).__name__}: {' '.join(str(error).split())[:_MOST_LETTERS]}. {_WAY_OUT}"
    )
