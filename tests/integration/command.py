"""The command line, called in this process or as a process of its own."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from study import asking
from study.cli import main
from study.drivers.local.fork_server import _ENVIRONMENT, ForkServer
from study.running import preflight
from tests import shapes
from tests.integration import asked
from tests.zygote import Forked, Wanted, heard_out, zygote
from trainers.problems import user_module

DEADLINE_S = 240
"""A command that takes so long hangs."""
WARM = "tests.integration.warm"
IMPATIENT = "tests.integration.impatient"
_ROOT = Path(__file__).parents[2]


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
        warm: Who forks its workers, and who answers it, before anything runs and of what is
            recorded, is a fork of the zygote, which has imported torch.
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
            patch.setattr(ForkServer, "start", forked_fork_server)
            patch.setattr(preflight, "subprocess", asked)
            patch.setattr(asking, "subprocess", asked)
        try:
            yield patch, out, err
        finally:
            user_module._search_also(None)  # modules of the folder are nobody else's


def forked_fork_server(environment: Mapping[str, str] = os.environ) -> ForkServer:
    """One that need not import torch; else as `ForkServer.start` begins it."""
    ours, theirs = socket.socketpair()
    wanted = Wanted(
        module="trainers.worker.fork_server",
        folder=os.getcwd(),
        environment={**environment, **_ENVIRONMENT},
        leads=True,
    )
    with theirs:
        process: Any = zygote().fork(wanted, hand_on=[theirs.fileno()])
    return ForkServer(ours, process)


def shared_fork_server() -> dict[str, str]:
    """What the environment says to `WARM` and `IMPATIENT`."""
    return {"TESTS_FORK_SERVER": _warm()[0]}


def shared_fork_server_pid() -> int:
    """Of whose forks the workers of such commands are children."""
    return _warm()[1]


@functools.cache
def _warm() -> tuple[str, int]:
    """Where commands that are processes find a fork server, and its process id."""
    folder = tempfile.TemporaryDirectory(prefix="wb-")
    fork_server = forked_fork_server(zygote().environment)
    fork_server.listen(f"{folder.name}/fork_server")
    atexit.register(folder.cleanup)
    atexit.register(fork_server.kill)
    assert fork_server._process is not None
    return f"{folder.name}/fork_server", fork_server._process.pid


Command: TypeAlias = "subprocess.Popen[str] | Forked"
"""A command that has begun, by its own start or by a fork."""


def launched(
    folder: Path,
    *args: str,
    prefix: Sequence[str] = (),
    module: str = "study.cli",
    heard: bool = True,
) -> Command:
    """``weighbridge`` as a process in a folder, see `begun`.

    Args:
        heard: What it says can be read; else nobody shall, but errors are shown where a test fails.
    """
    environment = {k: v for k, v in os.environ.items() if k != "WEIGHBRIDGE_STORAGE"}
    environment["PYTHONPATH"] = str(_ROOT)
    if module in (WARM, IMPATIENT):
        environment |= shared_fork_server()
    if module in (WARM, IMPATIENT) and not prefix:
        wanted = Wanted(
            module=module,
            arguments=args,
            folder=str(folder),
            environment=environment,
            folder_first=True,
        )
        return zygote().fork_heard(wanted) if heard else zygote().fork(wanted)
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", module, *args],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if heard else subprocess.DEVNULL,
        stderr=subprocess.PIPE if heard else None,
        text=True,
    )


@contextlib.contextmanager
def begun(
    folder: Path, *args: str, prefix: Sequence[str] = (), module: str = "study.cli"
) -> Iterator[Command]:
    """``weighbridge`` as a process in a folder; it does not outlive the block.

    Args:
        prefix: A program that starts it, with its options.
        module: What is run as the command; `WARM` and `IMPATIENT` are forked from a process that
            has imported what they import, unless there is a prefix, and their workers from one that
            all such commands share: they are no descendants of this one.
    """
    process = launched(folder, *args, prefix=prefix, module=module)
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: Command) -> Said:
    """Wait for a command to end; one that hangs is killed and fails the test."""
    code, out, err = heard_out(process, DEADLINE_S)
    if code is None:
        pytest.fail(f"the command hangs; it said:\n{out}\n{err}")
    return Said(code=code, out=out, err=err)


def typed(folder: Path, *args: str, prefix: Sequence[str] = (), module: str = "study.cli") -> Said:
    """Run ``weighbridge`` in a folder as a process of its own."""
    with begun(folder, *args, prefix=prefix, module=module) as process:
        return _checked(args, ended(process))
