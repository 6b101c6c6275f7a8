"""Where worker processes come from: ``python -P -m trainers.worker.fork_server FD``.

Importing torch takes seconds. This process does it once, runs no operation (so that no thread
exists), and forks a worker for each request: a lost worker's successor is ready at once.

The control socket carries, from the driver, one byte with descriptors: `FORK` (the worker's pipe,
the file for what it prints) or `LISTEN` (a socket at which other processes find a fork server: a
fork of this one, whose control socket is the connection). To the driver it carries one
line for each birth (``born PID``) and each end (``ended PID CODE``, negative for a signal). When
the driver closes it, or dies, everything ends. A worker leads a process group, which is told to end
when it has ended: processes that a user's code has forked, such as loaders of data, do not outlive
it. None of them holds its pipe.
"""

from __future__ import annotations

import contextlib
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

FORK, LISTEN = b"f", b"l"
PATIENCE_S = 5.0
"""How long what is asked to end is waited for."""
_LOOK_S = 0.1


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
                children.add(_clone(listener, control, *listeners))
        if control not in asked:
            continue
        try:
            request, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        except ConnectionResetError:  # the driver was killed
            request, descriptors = b"", []
        if not request:
            _end(children)
            os._exit(0)  # torch would be taken apart piece by piece, while the driver waits
        if request == LISTEN:
            listeners.append(socket.socket(fileno=descriptors[0]))
        else:
            pipe, output = descriptors
            children.add(_born(pipe, output, control, *listeners))


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
    import trainers.worker.process  # noqa: F401
    from trainers.plugins import offered

    offered("")  # what is installed is read once, too
    gc.freeze()
    gc.enable()


def _clone(listener: socket.socket, *not_its: socket.socket) -> int:
    """Fork a fork server for who has connected."""
    connection, _ = listener.accept()
    pid = os.fork()
    if pid == 0:
        _close(*not_its)
        look_after(connection)
    connection.close()
    return pid


def _born(pipe: int, output: int, control: socket.socket, *listeners: socket.socket) -> int:
    pid = os.fork()
    if pid == 0:
        _lead_group(0)
        _close(control, *listeners)
        _keep_from_children(pipe)
        _become_worker(pipe, output)
    _lead_group(pid)  # whoever of both is first
    os.close(pipe)
    os.close(output)
    _tell(control, f"born {pid}\n")
    return pid


def _become_worker(pipe: int, output: int) -> None:
    from trainers.keeping.output import Printed
    from trainers.worker import process as worker

    printed, code = Printed.into(output), 1
    try:
        worker.main(pipe, printed)
        code = 0
    except BaseException:
        printed.flush()
        traceback.print_exc()  # into the file that the driver reads when the worker has ended
    finally:
        printed.flush()
        os._exit(code)  # nothing of the parent's is to be cleaned up here


def _lead_group(pid: int) -> None:
    with contextlib.suppress(OSError):  # it has ended
        os.setpgid(pid, pid)


def _close(*sockets: socket.socket) -> None:
    """Who looks whether this process lives must not see a child's copies open."""
    for one in sockets:
        one.close()


def _keep_from_children(descriptor: int) -> None:
    """Processes that this one forks get a file in its place that says nothing."""

    def put_aside() -> None:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, descriptor, inheritable=False)
        os.close(nothing)

    os.set_inheritable(descriptor, False)
    os.register_at_fork(after_in_child=put_aside)


def _ended(children: set[int]) -> Iterator[tuple[int, int]]:
    """Children that have ended since the last call, with their exit codes."""
    for child in list(children):
        # as long as it is not waited for, no other process can have its number
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            continue
        with contextlib.suppress(OSError):  # it has left nobody behind
            os.killpg(child, signal.SIGTERM)
        _, status = os.waitpid(child, 0)
        children.discard(child)
        yield child, os.waitstatus_to_exitcode(status)


def _end(children: set[int]) -> None:
    """Wait until the children have seen their own pipes close, then end the rest."""
    deadline_s = time.monotonic() + PATIENCE_S
    while children and time.monotonic() < deadline_s:
        for _ in _ended(children):
            pass
        time.sleep(_LOOK_S / 10)
    for child in children:
        os.kill(child, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGTERM)


def _tell(control: socket.socket, line: str) -> None:
    try:
        control.sendall(line.encode())
    except OSError:
        return  # the driver has gone; the next `select` says so


if __name__ == "__main__":
    main()
