"""Questions before a study runs, answered by forks of one process that has imported torch."""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from subprocess import CompletedProcess
from typing import Any

from trainers.worker import preflight

_CONTEXT = multiprocessing.get_context("forkserver")


def run(command: Sequence[str], *, input: str, **_: Any) -> CompletedProcess[str]:
    """As `subprocess.run` of ``python -P -m trainers.worker.preflight QUESTION``."""
    _CONTEXT.set_forkserver_preload([__name__, "trainers.engines", "trainers.worker.dry_run"])
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    told = (command[-1], input, dict(os.environ), theirs)
    process = _CONTEXT.Process(target=_answer, args=told)
    process.start()
    theirs.close()
    try:
        said: tuple[str, str] = ours.recv()
    except EOFError:  # it has ended without a word
        said = "", ""
    process.join()
    return CompletedProcess(command, process.exitcode or 0, *said)


def _answer(question: str, text: str, environment: Mapping[str, str], pipe: Connection) -> None:
    os.environ.update(environment)  # that of the process from which it comes may be another one
    sys.argv, sys.stdin = ["preflight", question], io.StringIO(text)
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    preflight.main()
    pipe.send((sys.stdout.getvalue(), sys.stderr.getvalue()))
