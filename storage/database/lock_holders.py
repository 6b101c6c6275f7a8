"""Which processes hold the write lock of a SQLite file, as far as Linux tells."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_LOCKS = Path("/proc/locks")


def lock_holders(path: Path) -> list[str]:
    """Other processes that hold a write lock on the file or its write-ahead log.

    A line of the list is ``1: POSIX  ADVISORY  WRITE 4711 08:01:1234 120 120``: the process id is
    the fifth word, the inode the end of the sixth. A process of another container has id 0.
    """
    inodes = set(_inodes(path))
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines if " WRITE " in line and "->" not in line]
    pids = {int(w[4]) for w in words if w[5].rpartition(":")[2] in inodes and w[4].isdigit()}
    return [_name(pid) for pid in sorted(pids - {0, os.getpid()})]


def _inodes(path: Path) -> Iterable[str]:
    for name in (path, path.with_name(f"{path.name}-shm")):
        try:
            yield str(name.stat().st_ino)
        except OSError:
            continue


def _name(pid: int) -> str:
    try:
        return f"process {pid} ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    except OSError:
        return f"process {pid}"
