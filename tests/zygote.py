"""Forks processes that would import torch, SQLAlchemy and the command line first: a second or more.

The zygote is a process that has imported all that, when a first one is asked for, and has run
nothing. It stands beside a run of tests, for all processes of that run, and ends with them. What it
forks is what ``python -m MODULE`` would start: with a process id, signals, descriptors, a folder
and an environment of its own. It is the child of another fork, which waits for its end.
"""

from __future__ import annotations

import atexit
import gc
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn, TextIO

_ROOT = Path(__file__).parents[1]
_FORK = b"f"
_MOST_DESCRIPTORS = 8
_END_S = 5
_EARLY = (
    *("study.cli._main", "study.cli._run", "study.cli._glimpse", "study.drivers.local"),
    *(
        "storage.storage",
        "storage.glimpse",
        "storage.schema.creation",
        "storage.database.read_only",
    ),
    *("sqlalchemy.dialects.sqlite.pysqlite", "sqlalchemy.dialects.postgresql.psycopg"),
    *("trainers.functions._training", "trainers.worker.dry_run", "torch.utils.serialization"),
    *("trainers.problems._losses", "trainers.problems._metrics", "trainers.problems._source"),
)
_STANDARD = 3
"""Descriptors that a process has anyhow: what it reads, what it prints, what it says of errors."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A process.

    Attributes:
        module: What it runs, as ``python -m`` does.
        arguments: Those of its command line. Numbers of descriptors that are handed on follow them.
        leads: It leads a session of its own.
        folder_first: It imports from its folder first, as without ``-P``.
    """

    module: str
    arguments: Sequence[str] = ()
    folder: str
    environment: Mapping[str, str]
    leads: bool = False
    folder_first: bool = False


class Forked:
    """A process that the zygote has forked, with what tests use of a `subprocess.Popen`."""

    def __init__(
        self, connection: Connection, stdout: TextIO | None = None, stderr: TextIO | None = None
    ) -> None:
        self._connection = connection
        self.stdout, self.stderr = stdout, stderr
        self.pid: int = connection.recv()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and self._connection.poll():
            self.returncode = self._connection.recv()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not self._connection.poll(timeout):
            raise subprocess.TimeoutExpired("a process", timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and nobody has said so yet
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()


def heard_out(
    process: subprocess.Popen[str] | Forked, timeout_s: float | None = None
) -> tuple[int | None, str, str]:
    """Exit code, output and errors of a process that ends; who does not is killed: no code."""
    assert process.stdout is not None and process.stderr is not None
    with ThreadPoolExecutor() as readers:
        said = [readers.submit(one.read) for one in (process.stdout, process.stderr)]
        code = None
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
    out, err = (one.result() for one in said)
    return code, out, err


class Zygote:
    """The process, as those see it that ask it for others.

    Attributes:
        environment: What its environment was, from which libraries take settings as they are
            imported.

    Args:
        first: Folders that it imports from before all others.
    """

    def __init__(self, *first: Path) -> None:
        self.environment = dict(os.environ)
        self._owner = os.getpid()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*first, _ROOT)))},
            )
        atexit.register(self.end)

    def fork(
        self, wanted: Wanted, *, stdin: int | None = None, hand_on: Sequence[int] = ()
    ) -> Forked:
        """A process that prints nowhere; its errors are told where those of this one are.

        Args:
            stdin: The descriptor that it reads from; None for nothing.
            hand_on: Other descriptors that it gets.
        """
        nowhere = os.open(os.devnull, os.O_RDWR)
        reads = nowhere if stdin is None else stdin
        try:
            return Forked(self._asked(wanted, [reads, nowhere, 2, *hand_on]))
        finally:
            os.close(nowhere)

    def fork_heard(
        self, wanted: Wanted, *, stdin: int | None = None, errors: str = "strict"
    ) -> Forked:
        """A process whose output and errors are heard here.

        Args:
            stdin: As of `fork`.
            errors: What is done about output that is no text.
        """
        nowhere = os.open(os.devnull, os.O_RDWR)
        heard, printed = zip(os.pipe(), os.pipe(), strict=True)
        try:
            connection = self._asked(wanted, [nowhere if stdin is None else stdin, *printed])
        finally:
            for descriptor in (nowhere, *printed):
                os.close(descriptor)
        return Forked(connection, *(open(end, errors=errors) for end in heard))

    def _asked(self, wanted: Wanted, descriptors: Sequence[int]) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [_FORK], [theirs.fileno(), *descriptors])
        connection = Connection(ours.detach())
        connection.send(asdict(wanted))  # plain: the zygote does not import `tests`
        return connection

    def end(self) -> None:
        """End it, if it was begun by this process."""
        if os.getpid() == self._owner:
            self._control.close()
            try:
                self._process.wait(2 * _END_S)
            except subprocess.TimeoutExpired:  # some fork of a test keeps a copy of the socket
                self._process.kill()
                self._process.wait()


_zygotes: list[Zygote] = []


def begin() -> None:
    """Have one for this process, and those that it forks."""
    _zygotes.append(Zygote())


def zygote() -> Zygote:
    """That of this run of tests."""
    return _zygotes[-1]


def _main() -> None:
    """Fork for each request, until nobody is left who could ask."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches whoever asks, too
    imported = False
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, len(_FORK), _MOST_DESCRIPTORS)
        if not request:
            _end()
        if not imported:
            _import_early()
            signal.signal(signal.SIGCHLD, _reap)
            imported = True
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            _attend(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _import_early() -> None:
    """What commands, their workers, and who answers before anything runs have in common."""
    gc.disable()
    for module in _EARLY:
        import_module(module)
    for found in pkgutil.iter_modules(import_module("trainers.weightings").__path__):
        import_module(f"trainers.weightings.{found.name}")
    import_module("trainers.worker.fork_server")._import_early()


def _attend(connection: int, *descriptors: int) -> NoReturn:
    """Be the parent of a process: tell its id, then how it has ended."""
    asked = Connection(connection)
    wanted = Wanted(**asked.recv())
    pid = os.fork()
    if pid == 0:
        asked.close()
        os._exit(_become(wanted, descriptors))
    for descriptor in descriptors:
        os.close(descriptor)
    asked.send(pid)
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # nobody wants to know
        asked.send(os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(wanted: Wanted, descriptors: Sequence[int]) -> int:
    """Run a module as the process that was asked for; returns its exit code."""
    for standard, given in enumerate(descriptors[:_STANDARD]):
        os.dup2(given, standard)
        os.close(given)
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    if wanted.leads:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(wanted.environment)
    os.chdir(wanted.folder)
    if wanted.folder_first:
        sys.path.insert(0, wanted.folder)
    sys.argv[1:] = [*wanted.arguments, *map(str, descriptors[_STANDARD:])]
    code = _run(wanted.module)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(BrokenPipeError, ValueError):  # its reader has gone, or it has closed it
        sys.stdout.flush()
    return code


def _run(module: str) -> int:
    # `runpy` warns of one that others have imported; by the second, multiprocessing knows this file
    for name in (module, "__mp_main__"):
        sys.modules.pop(name, None)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return ending.code or 0
        print(ending.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _reap(*_: Any) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _end() -> NoReturn:
    """Wait for the forks that wait for others, so that their time is known, but not for ever."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.alarm(_END_S)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    os._exit(0)


if __name__ == "__main__":
    _main()
