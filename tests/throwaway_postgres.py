"""One PostgreSQL server for all processes of a run of tests, which starts when a first test asks.

A guard stands beside the run. It is told the end by its standard input, which closes however the
run ends: so the server never outlives the tests, and nobody waits for it who needs none.
"""

from __future__ import annotations

import os
import pwd
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

SERVER = Path(__file__).with_name("postgres.sh")
_DOOR = "WEIGHBRIDGE_TEST_DOOR"
"""Names the guard's socket, to all processes of the run."""


def can_start() -> bool:
    """Whether the server's programs are here, and a user whom it may run as."""
    if not (shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        return False
    if os.getuid() == 0:  # the server refuses root
        with suppress(KeyError):
            return bool(pwd.getpwnam("postgres"))
        return False
    return True


class Guard:
    """The process that starts the server when it is asked, and ends it with this one."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wb-"))  # short enough for a socket's name
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # what interrupts the tests lets it tidy up
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # its door is open
        os.environ[_DOOR] = str(_door(self._folder))

    def end(self) -> None:
        """End the server, if it was started."""
        del os.environ[_DOOR]
        self._process.communicate(b"\n")


def address() -> str | None:
    """The URL of the server, which is started for the first who asks; None without a guard."""
    if _DOOR not in os.environ:
        return None
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(os.environ[_DOOR])
        answer = asking.makefile().read()
    assert answer.startswith("postgresql"), f"No PostgreSQL server could be started.\n{answer}"
    return answer


def _door(folder: Path) -> Path:
    return folder / "door"


def _guard(folder: Path) -> None:
    """Answer who asks, until the end of the run."""
    answer = ""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(_door(folder)))
        door.listen(64)
        print(flush=True)
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                break
            asking, _ = door.accept()
            with asking, suppress(BrokenPipeError):
                answer = answer or _started(folder)
                asking.sendall(answer.encode())
    _door(folder).unlink()
    if answer:
        subprocess.run([SERVER, "stop", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> str:
    """The URL of a new server, or what went wrong."""
    result = subprocess.run([SERVER, "start", folder], capture_output=True, text=True)
    return result.stdout.strip() if result.returncode == 0 else f"{result.stderr.strip()}\n"


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
