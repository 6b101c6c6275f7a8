"""Memory that a process shares with those it has started: files that have no name."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

_ALIGNED = 4096


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of the shared file."""

    at: int
    size: int


class SharedMemory:
    """Hands out blocks; one that is given back is handed out again.

    Attributes:
        fileno: Descriptor of the file, for processes to inherit.
    """

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            self.fileno = os.memfd_create("weighbridge-loaders")
        else:
            with tempfile.TemporaryFile() as file:
                self.fileno = os.dup(file.fileno())
        self._size = 0
        self._map: mmap.mmap | None = None
        self._free: list[Block] = []

    def take(self, size: int) -> Block:
        """A block of at least so many bytes: the smallest that is free, or a new one."""
        fitting = [block for block in self._free if block.size >= size]
        if fitting:
            block = min(fitting, key=lambda block: block.size)
            self._free.remove(block)
            return block
        block = Block(self._size, -(-size // _ALIGNED) * _ALIGNED)
        self._size += block.size
        os.ftruncate(self.fileno, self._size)
        self._map = None  # who looks at the old one goes on to
        return block

    def give_back(self, block: Block) -> None:
        """Let somebody else have it."""
        self._free.append(block)

    def view(self, block: Block) -> memoryview:
        """The block's bytes."""
        if self._map is None:
            self._map = mmap.mmap(self.fileno, self._size)
        return memoryview(self._map)[block.at : block.at + block.size]

    def close(self) -> None:
        """Close the file; views stay as they are."""
        os.close(self.fileno)


class Window:
    """The shared file as a process sees it that was started with its descriptor."""

    def __init__(self, fileno: int) -> None:
        self._fileno = fileno
        self._map: mmap.mmap | None = None

    def view(self, block: Block) -> memoryview:
        """The block's bytes; the file is mapped anew when it has grown."""
        if self._map is None or len(self._map) < block.at + block.size:
            self._map = mmap.mmap(self._fileno, os.fstat(self._fileno).st_size)
        return memoryview(self._map)[block.at : block.at + block.size]


class Nameless:
    """A file in memory that is there as long as this object.

    Attributes:
        path: Where this process and those it has started can open it.
    """

    def __init__(self, fileno: int, path: str) -> None:
        self.path = path
        weakref.finalize(self, os.close, fileno)


def nameless(size: int) -> Nameless:
    """A file of so many bytes.

    Raises:
        OSError: There is not as much memory.
    """
    free = _available_bytes()
    if size > free:
        raise OSError(errno.ENOMEM, f"{free / 2**30:.3g} GiB are free")
    fileno = os.memfd_create("weighbridge-cache")
    reserve(fileno, size)
    return Nameless(fileno, f"/proc/{os.getpid()}/fd/{fileno}")


def _available_bytes() -> int:
    """Memory that can be had without swapping, caches of files included where that is told."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        (kib,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kib) * 1024
    except (OSError, ValueError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def reserve(fileno: int, size: int) -> None:
    """Give a file its size, and room for it: a mapped one that finds none ends its process.

    Raises:
        OSError: There is no room.
    """
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fileno, 0, size)
    else:
        os.ftruncate(fileno, size)
