"""A dashboard as a process of its own: what it answers, and what it takes."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

_CPUCLOCK_SCHED = 2  # as Linux numbers it
"""A process's clock is made of its id and this; ``/proc`` counts in hundredths of a second."""

_STARTS_S = 60


class Answer(NamedTuple):
    """What came back, and how long that took."""

    status: int
    text: str
    n_bytes: int  # of the body, as sent
    ms: float


class Served:
    """A dashboard that serves a database at a port of this machine until it is left."""

    def __init__(self, command: Sequence[str], *, port_option: str = "--port") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [*command, port_option, str(self.port)]
        self._concluder_mb = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        began = time.monotonic()
        while time.monotonic() < began + _STARTS_S:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port)
                return self
            time.sleep(0.02)
        raise RuntimeError(f"{self._command} does not answer.")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait()

    def get(self, path: str) -> Answer:
        """An answer, packed as browsers get it."""
        began = time.perf_counter()
        headers = {"accept-encoding": "gzip", "accept": "text/html"}
        try:
            self._connection.request("GET", path, headers=headers)
            answer = self._connection.getresponse()
        except http.client.RemoteDisconnected:  # it was idle for long
            self._connection.request("GET", path, headers=headers)
            answer = self._connection.getresponse()
        body = answer.read()
        ms = 1e3 * (time.perf_counter() - began)
        packed = answer.getheader("content-encoding") == "gzip"
        text = (gzip.decompress(body) if packed else body).decode()
        return Answer(answer.status, text, len(body), ms)

    def processor_s(self) -> float:
        """Processor time of the server so far, of its threads together."""
        return time.clock_gettime((~self._process.pid << 3) | _CPUCLOCK_SCHED)

    def resident_mb(self) -> float:
        """Memory that the server takes now."""
        return _memory_mb(self._process.pid, "VmRSS")

    def memory_mb(self) -> tuple[float, float]:
        """Most that the server took, and the process beside it, as far as it was seen here."""
        pid = self._process.pid
        for task in Path(f"/proc/{pid}/task").iterdir():  # whichever thread began it
            for child in (task / "children").read_text().split():
                with suppress(OSError):
                    self._concluder_mb = max(self._concluder_mb, _memory_mb(int(child)))
        return _memory_mb(pid), self._concluder_mb


def weighbridge(url: str) -> Served:
    """Ours."""
    return Served([sys.executable, "-m", "study.cli", "dashboard", "--storage", url])


def optuna_dashboard(url: str) -> Served:
    """Optuna's, which is installed with the tools of development."""
    return Served([str(Path(sys.executable).with_name("optuna-dashboard")), url])


def _memory_mb(pid: int, what: str = "VmHWM") -> float:
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1e3 if found else 0.0
