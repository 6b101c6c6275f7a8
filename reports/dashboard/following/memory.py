"""Gives memory back that the C library keeps for later: of a large study, more than is in use."""

from __future__ import annotations

import ctypes
import time
from contextlib import suppress
from typing import Final

_REST_S: Final = 5.0
_ARENA_MAX: Final = -8  # as malloc.h numbers it


class Memory:
    """What glibc keeps of this process; with another library all of it does nothing."""

    def __init__(self) -> None:
        self._library: ctypes.CDLL | None = None
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            library.mallopt(_ARENA_MAX, 2)  # threads share it, else each keeps its own arrays
            self._library = library if library.malloc_trim else None
        self._last_s = time.monotonic()

    def give_back(self) -> None:
        """Give back what is free, if that was some seconds ago."""
        if self._library is None or time.monotonic() < self._last_s + _REST_S:
            return
        self._last_s = time.monotonic()
        self._library.malloc_trim(0)
