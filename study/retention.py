"""Which checkpoint files are kept: two a run, and no more bytes than a cap.

A run's newest checkpoint is what a resume starts from; the one before serves if that is torn. Files
of finished runs go at once. Over the cap the second ones go first, then whole runs' files, longest
untouched first: those runs begin again if they are interrupted, which changes no result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT_A_RUN = 2
_NAME = re.compile(r"run(?P<run>\d+)-token(?P<token>\d+)-epoch(?P<epoch>\d+)\.pt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint file, named by run, fencing token and epoch."""

    path: Path
    run: int
    token: int
    epoch: int
    size_bytes: int
    modified_s: float


def superfluous(files: Sequence[Saved], *, cap_bytes: int) -> list[Saved]:
    """Files that may go: beyond two a run, and beyond `cap_bytes` for all."""
    newest_first = sorted(files, key=lambda saved: (-saved.epoch, -saved.token))
    place: dict[Path, int] = {}
    seen: dict[int, int] = {}
    for saved in newest_first:
        place[saved.path] = seen.get(saved.run, 0)
        seen[saved.run] = place[saved.path] + 1
    gone = [saved for saved in files if place[saved.path] >= KEPT_A_RUN]
    kept = [saved for saved in files if place[saved.path] < KEPT_A_RUN]
    total = sum(saved.size_bytes for saved in kept)
    for saved in sorted(kept, key=lambda saved: (-place[saved.path], saved.modified_s)):
        if total <= cap_bytes:
            break
        total -= saved.size_bytes
        gone.append(saved)
    return gone


def tidy(folder: Path, *, cap_bytes: int) -> None:
    """Remove superfluous files of a study's folder."""
    for saved in superfluous(_listed(folder), cap_bytes=cap_bytes):
        saved.path.unlink(missing_ok=True)


def forget(folder: Path, run: int) -> None:
    """Remove all files of a run that will never go on, half-written ones included."""
    for path in folder.glob(f"run{run}-token*"):
        path.unlink(missing_ok=True)


def _listed(folder: Path) -> list[Saved]:
    found = []
    for path in folder.glob("run*.pt"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # another driver was faster
        found.append(
            Saved(
                path=path,
                run=int(match["run"]),
                token=int(match["token"]),
                epoch=int(match["epoch"]),
                size_bytes=status.st_size,
                modified_s=status.st_mtime,
            )
        )
    return found
