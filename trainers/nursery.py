"""Where worker processes come from: ``python -P -m trainers.nursery FD``.

Importing torch takes seconds. This process does it once, runs no operation (so that no thread
exists), and forks a worker for each request: a lost worker's successor is ready at once.

The control socket carries, from the driver, one byte with descriptors: ``f`` to fork (the worker's
pipe, the file for what it prints), ``l`` to listen (a socket at which other processes find a
nursery: a fork of this one, whose control socket is the connection). To the driver it carries one
line for each birth (``born PID``) and each end (``ended PID CODE``, negative for a signal). When
the driver closes it, or dies, everything ends.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from typing import NoReturn

_LOOK_S = 0.1
_PATIENCE_S = 5.0


def main() -> None:
    """Import what workers need, then look after them until the socket closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    _import_early()
    look_after(control)


def look_after(control: socket.socket) -> NoReturn:
    """Fork for each request until the socket closes; then the process ends."""
    children: set[int] = set()
    listeners: list[socket.socket] = []
    while True:
        asked, _, _ = select.select([control, *listeners], [], [], _LOOK_S)
        for pid, code in _ended(children):
            _tell(control, f"ended {pid} {code}\n")
        for listener in listeners:
            if listener in asked:
                children.add(_sister(control, listener))
        if control not in asked:
            continue
        try:
            request, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        except ConnectionResetError:  # the driver was killed
            request, descriptors = b"", []
        if not request:
            _end(children)
            os._exit(0)  # torch would be taken apart piece by piece, while the driver waits
        if request == b"l":
            listeners.append(socket.socket(fileno=descriptors[0]))
        else:
            children.add(_born(control, *descriptors))


def _import_early() -> None:
    """All that is heavy and the same for every problem.

    The collector would walk through what is imported, now and in every child, and copy pages that
    children share.
    """
    gc.disable()
    import torch  # noqa: F401 - imported for the processes that are forked later

    import trainers.engines
    import trainers.functions
    import trainers.problems
    import trainers.worker  # noqa: F401

    gc.freeze()
    gc.enable()


def _sister(control: socket.socket, listener: socket.socket) -> int:
    """A nursery for who has connected."""
    connection, _ = listener.accept()
    pid = os.fork()
    if pid == 0:
        control.close()
        listener.close()
        look_after(connection)
    connection.close()
    return pid


def _born(control: socket.socket, pipe: int, output: int) -> int:
    pid = os.fork()
    if pid == 0:
        control.close()
        _become_worker(pipe, output)
    os.close(pipe)
    os.close(output)
    _tell(control, f"born {pid}\n")
    return pid


def _become_worker(pipe: int, output: int) -> None:
    from trainers import worker

    code = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        worker.main(pipe)
        code = 0
    except BaseException:
        traceback.print_exc()  # into the file that the driver reads when the worker has ended
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # nothing of the parent's is to be cleaned up here


def _ended(children: set[int]) -> Iterator[tuple[int, int]]:
    """Children that have ended since the last call, with their exit codes."""
    for child in list(children):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            children.discard(child)
            yield child, os.waitstatus_to_exitcode(status)


def _end(children: set[int]) -> None:
    """Wait until the children have seen their own pipes close, then end the rest."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while children and time.monotonic() < deadline_s:
        for _ in _ended(children):
            pass
        time.sleep(_LOOK_S / 10)
    for child in children:
        os.kill(child, signal.SIGKILL)


def _tell(control: socket.socket, line: str) -> None:
    try:
        control.sendall(line.encode())
    except OSError:
        return  # the driver has gone; the next `select` says so


if __name__ == "__main__":
    main()
