"""Whether a worker lives: judged by its process, its pipe and its beats together.

No sign is enough by itself. A process that has ended may have left a child that keeps its pipe
open; a pipe may be closed by a process that goes on; a process may beat and hang, or be silent only
because nobody has listened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_END_S = 10.0
"""A process that was killed ends within this, or never: it waits for a disk that has gone."""


class Process(StrEnum):
    """What is known of a worker's process."""

    RUNS = "runs"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """It is not born yet, or runs on another machine."""


class Remedy(StrEnum):
    """What is to be done about a worker."""

    WELL = "well"
    LOST = "lost"
    """It will say nothing any more."""
    STUCK = "stuck"
    """End it: it does not come to work."""
    SILENT = "silent"
    """End it: it does not beat."""
    OUT_OF_TIME = "out of time"
    """End it: its pack outlasts its time limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is known of a worker at one moment.

    Attributes:
        unread: Something that it has said is still to be read.
        silent_s: For how long it has said nothing while somebody listened.
        opening_s: For how long it has been opening its problem; None once it has.
        working_s: For how long it has had its pack; None if it has none.
        killed_s: How long ago it was killed; None if it was not.
    """

    process: Process = Process.UNKNOWN
    pipe_open: bool = True
    unread: bool = False
    silent_s: float = 0.0
    opening_s: float | None = None
    working_s: float | None = None
    killed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long each may last."""

    opening_s: float = math.inf
    silent_s: float = math.inf
    working_s: float = math.inf


def judged(signs: Signs, timeouts: Timeouts) -> Remedy:
    """What is to be done about a worker of which this is known."""
    if not signs.pipe_open:
        return Remedy.LOST
    if signs.process is Process.ENDED and not signs.unread:
        return Remedy.LOST
    if signs.killed_s is not None:
        return Remedy.LOST if signs.killed_s > _END_S else Remedy.WELL
    if signs.process is Process.ENDED:
        return Remedy.WELL  # its last words are read first
    if signs.opening_s is not None and signs.opening_s > timeouts.opening_s:
        return Remedy.STUCK
    if signs.silent_s > timeouts.silent_s:
        return Remedy.SILENT
    if signs.working_s is not None and signs.working_s > timeouts.working_s:
        return Remedy.OUT_OF_TIME
    return Remedy.WELL


def process_start(pid: int) -> str | None:
    """Start time in clock ticks since boot; None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
