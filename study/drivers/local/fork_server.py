"""The driver's side of `trainers.worker.fork_server`: asks for workers, hears of their ends.

Why it is not `multiprocessing`'s: docs/adr/0022-a-fork-server-of-our-own.md.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import IO

from study.drivers.vital_signs import Process, process_start
from trainers.worker.fork_server import FORK, LISTEN, PATIENCE_S

_LAST_LINES = 5
_LAST_BYTES = 16 * 2**10
_MOST_LETTERS = 1000
"""Of what is told of a worker's output, however much there is."""
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # tensors of a step come and go: kept by the process, their pages are not mapped anew each time
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
    "MALLOC_TOP_PAD_": str(2**26),
}
_IMPORT_S = 120.0
_TORN = struct.pack("ll", 10, 0)
"""Seconds and microseconds until a message of which no more comes is given up."""


@dataclass(frozen=True, slots=True)
class Child:
    """A worker process: its number in order of birth, its pipe, the file it prints to."""

    number: int
    pipe: Connection
    output: IO[bytes]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker has ended.

    Attributes:
        how: Its exit code or signal, and the last lines that it printed.
        printed: What it printed last, before it could be kept with its runs.
    """

    how: str
    printed: bytes = b""


@dataclass(slots=True)
class _Born:
    """A process that was forked, and when: its number may be another one's later.

    Attributes:
        code: Its exit code, or minus its signal; None as long as nobody has said it.
    """

    pid: int
    start: str
    code: int | None = None


class ForkServer:
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
        self._born: list[_Born] = []  # by the children's numbers
        self._last: dict[int, _Born] = {}  # who was born last under a process id
        self._gone = False
        self._asked = 0

    @classmethod
    def start(cls) -> ForkServer:
        """Start one, which begins to import torch."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trainers.worker.fork_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal reaches the driver only
            env={**os.environ, **_ENVIRONMENT},
        )
        theirs.close()
        return cls(ours, process)

    @classmethod
    def near(cls, path: str) -> ForkServer:
        """A fork of the one that listens at a path, so that torch need not be imported anew.

        Raises:
            OSError: Nobody listens there.
        """
        control = socket.socket(socket.AF_UNIX)
        control.connect(path)
        return cls(control)

    @property
    def control(self) -> socket.socket:
        """Readable when it has something to say, see `hear`."""
        return self._control

    @property
    def alive(self) -> bool:
        """Whether it can still fork."""
        self.hear()
        return not self._gone

    def hear(self) -> None:
        """Take in what it has said, without waiting."""
        self._listen(lambda: False, patience_s=0.0)

    def listen(self, path: str) -> None:
        """Let other processes of this machine find fork servers at a path, see `near`."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            socket.send_fds(self._control, [LISTEN], [listener.fileno()])

    def spawn(self) -> Child:
        """Ask for a worker; it is born when the fork server has imported torch.

        Of a fork server that has ended meanwhile it is never born, and its pipe is closed.
        """
        ours, theirs = socket.socketpair()
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, way, _TORN)
        output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        try:
            socket.send_fds(self._control, [FORK], [theirs.fileno(), output.fileno()])
        except OSError:
            self._gone = True
        theirs.close()
        child = Child(self._asked, Connection(ours.detach()), output)
        self._asked += 1
        return child

    def pid(self, child: Child) -> int:
        """Process id of a worker, once it is born.

        Raises:
            ProcessLookupError: It is not, and will not be.
        """
        self._listen(lambda: self._is_born(child), patience_s=_IMPORT_S)
        if not self._is_born(child):
            raise ProcessLookupError("The worker was never born.")
        return self._born[child.number].pid

    def process(self, child: Child) -> Process:
        """What is known of a worker's process now."""
        if not self._is_born(child):
            return Process.ENDED if self._gone else Process.UNKNOWN
        if self._code(child) is not None:
            return Process.ENDED
        born = self._born[child.number]
        if not born.start:
            return Process.UNKNOWN  # this system does not say; the fork server will
        return Process.RUNS if process_start(born.pid) == born.start else Process.ENDED

    def end(self, child: Child) -> None:
        """Kill a worker's process, if there is one."""
        if self._is_born(child) and self.process(child) is not Process.ENDED:
            with contextlib.suppress(ProcessLookupError):  # it has ended just now
                os.kill(self._born[child.number].pid, signal.SIGKILL)

    def reaped(self, child: Child) -> Ended:
        """How a worker that is lost has ended, and its last words; it has ended then."""
        child.pipe.close()  # at which it exits, if it still runs
        for _ in range(2):
            self._listen(lambda: self._code(child) is not None, patience_s=PATIENCE_S)
            if self._gone or self._code(child) is not None:
                break
            self.end(child)
        self.end(child)
        if self._gone and self._is_born(child):  # else the fork server ends what it leaves behind
            with contextlib.suppress(OSError):
                os.killpg(self._born[child.number].pid, signal.SIGTERM)
        printed = _last_bytes(child.output)
        child.output.close()
        return Ended("\n".join([self._ending(child), *_last_words(printed)]), printed)

    def kill(self) -> None:
        """End a fork server that was started here and has no workers, at once."""
        self._end()
        self._control.close()

    def close(self) -> None:
        """End the fork server; it waits for workers whose pipes are closed and ends the others."""
        with contextlib.suppress(OSError):  # it has gone already
            # closed with words of the fork server unread, the socket would be reset, not ended
            self._control.shutdown(socket.SHUT_WR)
            self._listen(lambda: False, patience_s=2 * PATIENCE_S)
        self._end()
        self._control.close()

    def _is_born(self, child: Child) -> bool:
        return len(self._born) > child.number

    def _ending(self, child: Child) -> str:
        """In words, how a worker has ended."""
        code = self._code(child)
        if code is not None:
            return _told(code)
        if not self._gone:
            return _told(None)
        fork_server = f"the process that workers are forked from has ended: {_told(self._end())}"
        return f"{_told(None)}; {fork_server}" if self._is_born(child) else f"unborn, {fork_server}"

    def _end(self) -> int | None:
        """End the process, if it was started here; returns how it has ended."""
        if self._process is None:
            return None
        self._process.kill()
        return self._process.wait()

    def _code(self, child: Child) -> int | None:
        return self._born[child.number].code if self._is_born(child) else None

    def _listen(self, enough: Callable[[], bool], *, patience_s: float) -> None:
        """Read what the fork server says until it is enough, or it is silent or gone."""
        deadline_s = time.monotonic() + patience_s
        while not enough() and not self._gone:
            left_s = deadline_s - time.monotonic()
            ready, _, _ = select.select([self._control], [], [], max(left_s, 0.0))
            if not ready:
                return
            try:
                heard = self._control.recv(4096)
            except OSError:  # it was killed
                heard = b""
            self._gone = not heard
            *lines, self._unread = (self._unread + heard).split(b"\n")
            for line in lines:
                self._hear(line.decode().split())

    def _hear(self, words: list[str]) -> None:
        pid = int(words[1])
        if words[0] == "born":
            self._last[pid] = _Born(pid, process_start(pid) or "")
            self._born.append(self._last[pid])
        elif (ended := self._last.get(pid)) is not None:
            ended.code = int(words[2])


_ahead: list[ForkServer] = []


@contextlib.contextmanager
def fork_server_ahead(*, is_needless: Callable[[], bool]) -> Iterator[None]:
    """Import torch while this process still reads its command line and its database.

    At the end of the block, a fork server that nobody has taken is ended.

    Args:
        is_needless: Asked when the import has begun, which then ends; whoever needs a fork server
            after all starts one.
    """
    _ahead.append(ForkServer.start())
    try:
        if is_needless():
            _ahead.pop().kill()
        yield
    finally:
        while _ahead:
            _ahead.pop().kill()


def take_fork_server() -> ForkServer:
    """The one that was begun ahead, if it lives, or a new one."""
    if _ahead and _ahead[-1].alive:
        return _ahead.pop()
    return ForkServer.start()


def _told(code: int | None) -> str:
    if code is None:
        return "for an unknown reason"
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _last_bytes(output: IO[bytes]) -> bytes:
    """The end of a worker's output, of which there may be any amount."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _LAST_BYTES))
    return output.read(_LAST_BYTES)


def _last_words(printed: bytes) -> list[str]:
    text = printed.decode(errors="replace").strip()
    return "\n".join(text.splitlines()[-_LAST_LINES:])[-_MOST_LETTERS:].splitlines()
