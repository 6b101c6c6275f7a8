"""Starts processes, takes the time until all results are stored, and leaves none behind."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_MARK = "WEIGHBRIDGE_BENCHMARK"
_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What some processes took.

    Attributes:
        wall_s: From the first one's start to the last stored result.
        cpu_s: Processor time of them and of their children.
    """

    wall_s: float
    cpu_s: float


def measured(
    commands: Sequence[Sequence[str]], folder: Path, *, stored: Callable[[Path], float] | None
) -> Spent:
    """Run commands at the same time in a folder.

    Args:
        stored: Tells of the folder when the last result was stored, on the clock of `time.time`;
            None: there are none, and the last process's end is what counts.

    Raises:
        SystemExit: One failed or took too long; the end of its output is printed.
    """
    mark = uuid.uuid4().hex
    before_s, began_s = _children_s(), time.time()
    logs = [folder / f"output{number}.txt" for number in range(len(commands))]
    try:
        processes = [
            _started(command, folder, log, mark)
            for command, log in zip(commands, logs, strict=True)
        ]
        for process, log in zip(processes, logs, strict=True):
            _wait(process, log, began_s + _TIMEOUT_S)
        ended_s = time.time() if stored is None else stored(folder)
        return Spent(wall_s=ended_s - began_s, cpu_s=_children_s() - before_s)
    finally:
        _end_all(mark)


def _started(command: Sequence[str], folder: Path, log: Path, mark: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(_ROOT),
        "RAY_AUTH_MODE": "disabled",  # else Ray writes a token into the home folder
        "RAY_USAGE_STATS_ENABLED": "0",
        _MARK: mark,
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _wait(process: subprocess.Popen[bytes], log: Path, until_s: float) -> None:
    try:
        code = process.wait(max(0.0, until_s - time.time()))
    except subprocess.TimeoutExpired:
        sys.exit(f"{process.args!r} took more than {_TIMEOUT_S} s.\n{_end_of(log)}")
    if code:
        sys.exit(f"{process.args!r} ended with {code}.\n{_end_of(log)}")


def changed(pattern: str) -> Callable[[Path], float]:
    """When the last file of such a name in a folder was changed."""
    return lambda folder: max(file.stat().st_mtime for file in folder.glob(pattern))


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end_all(mark: str) -> None:
    """End what still carries the mark, such as servers in sessions of their own."""
    sought = f"{_MARK}={mark}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if sought in environ.read_bytes().split(b"\0"):
                os.kill(int(environ.parent.name), signal.SIGKILL)
        except OSError:  # ended meanwhile, or somebody else's
            continue
