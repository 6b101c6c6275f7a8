"""Dashboards of tests draw their conclusions in this process, which has imported what it takes.

A process of its own, of which `test_concluder` sees, loads pandas first: a second of a core each.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import pytest

from reports.dashboard import site
from reports.dashboard.concluding.concluder import Concluder, _Child
from reports.dashboard.concluding.study import _answer_on, _Answering


class _Threads:
    """What a concluder knows of its process."""

    def __init__(self, ends: Sequence[socket.socket]) -> None:
        self._ends = ends

    def kill(self) -> None:
        """Both sides of each connection hear that it has ended."""
        for end in self._ends:
            with suppress(OSError):  # the other side has closed it
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def wait(self) -> None:
        """What is under way is answered to nobody."""


class _Beside(Concluder):
    def _begun(self) -> _Child:
        answering = _Answering(*json.loads(self._told))
        pairs = [socket.socketpair() for _ in self._turns]
        threads: Any = _Threads([theirs.dup() for _, theirs in pairs])
        for _, theirs in pairs:
            told = (theirs.detach(), answering)
            threading.Thread(target=_answer_on, args=told, daemon=True).start()
        ours = (Connection(end.detach()) for end, _ in pairs)
        return _Child(process=threads, lanes=dict(zip(self._turns, ours, strict=True)))


@contextmanager
def concluding_beside() -> Iterator[None]:
    """Dashboards that begin meanwhile do so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "Concluder", _Beside)
        yield
