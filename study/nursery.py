"""The driver's side of `trainers.nursery`: asks for workers, hears of their ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import IO

_LAST_LINES = 5
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # tensors of a step come and go: kept by the process, their pages are not mapped anew each time
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
    "MALLOC_TOP_PAD_": str(2**26),
}
_PATIENCE_S = 5.0
_IMPORT_S = 120.0


@dataclass(frozen=True, slots=True)
class Child:
    """A worker process: its number in order of birth, its pipe, the file it prints to."""

    number: int
    pipe: Connection
    output: IO[bytes]


class Nursery:
    """A process that forks workers; it and they end when this process does.

    Args:
        control: Its control socket.
        process: The process; None for one that somebody else has started.
    """

    def __init__(
        self, control: socket.socket, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self._control, self._process = control, process
        self._unread = b""
        self._pids: list[int] = []
        self._codes: dict[int, int] = {}
        self._asked = 0

    @classmethod
    def start(cls) -> Nursery:
        """Start one, which begins to import torch."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trainers.nursery", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal reaches the driver only
            env={**os.environ, **_ENVIRONMENT},
        )
        theirs.close()
        return cls(ours, process)

    @classmethod
    def near(cls, path: str) -> Nursery:
        """A fork of the nursery that listens at a path, so that torch need not be imported anew.

        Raises:
            OSError: Nobody listens there.
        """
        control = socket.socket(socket.AF_UNIX)
        control.connect(path)
        return cls(control)

    @property
    def alive(self) -> bool:
        """Whether it can still fork."""
        ready, _, _ = select.select([self._control], [], [], 0.0)
        try:
            return not ready or self._control.recv(1, socket.MSG_PEEK) != b""
        except ConnectionResetError:
            return False

    def listen(self, path: str) -> None:
        """Let other processes of this machine find nurseries at a path, see `near`."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            socket.send_fds(self._control, [b"l"], [listener.fileno()])

    def spawn(self) -> Child:
        """Ask for a worker; it is born when the nursery has imported torch."""
        ours, theirs = socket.socketpair()
        output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        socket.send_fds(self._control, [b"f"], [theirs.fileno(), output.fileno()])
        theirs.close()
        child = Child(self._asked, Connection(ours.detach()), output)
        self._asked += 1
        return child

    def pid(self, child: Child) -> int:
        """Process id of a worker, once it is born."""
        self._listen(lambda: len(self._pids) > child.number, patience_s=_IMPORT_S)
        return self._pids[child.number]

    def bury(self, child: Child) -> str:
        """How a worker whose pipe has closed ended, and its last words."""
        child.pipe.close()
        self._listen(lambda: self._code(child) is not None, patience_s=_PATIENCE_S)
        code = self._code(child)
        child.output.seek(0)
        lines = child.output.read().decode(errors="replace").strip().splitlines()
        child.output.close()
        return "\n".join([_ending(code), *lines[-_LAST_LINES:]])

    def kill(self) -> None:
        """End a nursery that was started here and has no workers, at once."""
        self._end()
        self._control.close()

    def close(self) -> None:
        """End the nursery; it waits for workers whose pipes are closed and ends the others."""
        with contextlib.suppress(OSError):  # it has gone already
            # closed with words of the nursery unread, the socket would be reset, not ended
            self._control.shutdown(socket.SHUT_WR)
            self._listen(lambda: False, patience_s=2 * _PATIENCE_S)
        self._end()
        self._control.close()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _code(self, child: Child) -> int | None:
        if len(self._pids) <= child.number:
            return None
        return self._codes.get(self._pids[child.number])

    def _listen(self, enough: Callable[[], bool], *, patience_s: float) -> None:
        """Read what the nursery says until it is enough, or it is silent or gone."""
        deadline_s = time.monotonic() + patience_s
        while not enough():
            left_s = deadline_s - time.monotonic()
            ready, _, _ = select.select([self._control], [], [], max(left_s, 0.0))
            heard = self._control.recv(4096) if ready else b""
            if not heard:
                return
            *lines, self._unread = (self._unread + heard).split(b"\n")
            for line in lines:
                self._hear(line.decode().split())

    def _hear(self, words: list[str]) -> None:
        if words[0] == "born":
            self._pids.append(int(words[1]))
        else:
            self._codes[int(words[1])] = int(words[2])


_ahead: list[Nursery] = []


@contextlib.contextmanager
def nursery_ahead() -> Iterator[None]:
    """Import torch while this process still reads its command line and its database.

    At the end of the block, a nursery that nobody has taken is ended.
    """
    _ahead.append(Nursery.start())
    try:
        yield
    finally:
        while _ahead:
            _ahead.pop().kill()


def take_nursery() -> Nursery:
    """The one that was begun ahead, if it lives, or a new one."""
    if _ahead and _ahead[-1].alive:
        return _ahead.pop()
    return Nursery.start()


def _ending(code: int | None) -> str:
    if code is None:
        return "for an unknown reason"
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
