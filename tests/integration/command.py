"""The command line, called in this process or as a process of its own."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from study.cli import main
from study.drivers.local.fork_server import ForkServer
from study.running import preflight
from tests import shapes
from tests.integration import asked
from trainers.problems import user_module

DEADLINE_S = 240
"""A command that takes so long hangs."""
WARM = "tests.integration.warm"
IMPATIENT = "tests.integration.impatient"
_ROOT = Path(__file__).parents[2]
_OF_OTHERS = re.compile(
    r"(PYTEST_CURRENT_TEST|PWD|PYTHONBREAKPOINT|LD_LIBRARY_PATH|CUBLAS_WORKSPACE_CONFIG)$"
    r"|(KMP|QT_QPA|RAY|TORCHINDUCTOR|TRITON)_"
)
"""Variables of pytest, and those that torch, scikit-learn, OpenCV and Ray set in their process."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Standard output without line breaks of its own."""
        return " ".join(self.out.split())

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(folder: Path, *args: str, warm: bool = True) -> Said:
    """Run ``weighbridge`` in a folder, as if typed there.

    Args:
        warm: Its workers, and who answers before anything runs, are forked from processes that all
            such commands of the tests share.
    """
    code = 0
    with at_home(folder, warm=warm) as (patch, out, err):
        patch.setattr(sys, "argv", ["weighbridge", *args])
        try:
            main()
        except SystemExit as ending:
            code = int(ending.code or 0)
    return _checked(args, Said(code=code, out=out.getvalue(), err=err.getvalue()))


def _checked(args: Sequence[str], said: Said) -> Said:
    """What was printed as JSON has the shape that is promised of it."""
    if "--json" in args and said.out:
        shapes.check(said.out)
    return said


@contextlib.contextmanager
def at_home(
    folder: Path, *, warm: bool = True
) -> Iterator[tuple[pytest.MonkeyPatch, io.StringIO, io.StringIO]]:
    """This process stands in a folder, as one that was started there; what it prints is kept.

    Args:
        warm: As of `command`.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.delenv("WEIGHBRIDGE_STORAGE", raising=False)
        patch.chdir(folder)
        if warm:
            _share_fork_server(patch)
            patch.setattr(preflight, "subprocess", asked)
        try:
            yield patch, out, err
        finally:
            user_module._search_also(None)  # modules of the folder are nobody else's


def _share_fork_server(patch: pytest.MonkeyPatch) -> None:
    """Import torch once for the workers of all commands, unless their environment differs."""
    start = ForkServer.start

    def near() -> ForkServer:
        path, environment, _ = _warm(start)
        return ForkServer.near(path) if _environment() == environment else start()

    patch.setattr(ForkServer, "start", near)


def shared_fork_server() -> dict[str, str]:
    """What the environment says to `WARM` and `IMPATIENT`."""
    return {"TESTS_FORK_SERVER": _warm(ForkServer.start)[0]}


def shared_fork_server_pid() -> int:
    """Of whose forks the workers of such commands are children."""
    return _warm(ForkServer.start)[2]


@functools.cache
def _warm(start: Callable[[], ForkServer]) -> tuple[str, dict[str, str], int]:
    """Where a process that has imported torch forks others, their environment, and its id."""
    folder = tempfile.TemporaryDirectory(prefix="wb-")
    fork_server = start()
    fork_server.listen(f"{folder.name}/fork_server")
    atexit.register(folder.cleanup)
    atexit.register(fork_server.kill)
    assert fork_server._process is not None
    return f"{folder.name}/fork_server", _environment(), fork_server._process.pid


def _environment() -> dict[str, str]:
    """What workers could tell apart: not what pytest says of a test, nor what libraries leave."""
    return {name: value for name, value in os.environ.items() if not _OF_OTHERS.match(name)}


@contextlib.contextmanager
def begun(
    folder: Path, *args: str, prefix: Sequence[str] = (), module: str = "study.cli"
) -> Iterator[subprocess.Popen[str]]:
    """``weighbridge`` as a process in a folder; it does not outlive the block.

    Args:
        prefix: A program that starts it, with its options.
        module: What is run as the command; of `WARM` and `IMPATIENT`, the workers come from a
            process that all such commands share, and are no descendants of this one.
    """
    environment = {k: v for k, v in os.environ.items() if k != "WEIGHBRIDGE_STORAGE"}
    environment |= shared_fork_server() if module in (WARM, IMPATIENT) else {}
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", module, *args],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> Said:
    """Wait for a command to end; one that hangs is killed and fails the test."""
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"the command hangs; it said:\n{out}\n{err}")
    return Said(code=process.returncode, out=out, err=err)


def typed(folder: Path, *args: str, prefix: Sequence[str] = (), module: str = "study.cli") -> Said:
    """Run ``weighbridge`` in a folder as a process of its own."""
    with begun(folder, *args, prefix=prefix, module=module) as process:
        return _checked(args, ended(process))
