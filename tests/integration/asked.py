"""Questions that commands ask of processes, answered by forks of the zygote.

Those before a study runs need torch, which it has imported, as it has what verbs import.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from subprocess import DEVNULL, PIPE, CompletedProcess, SubprocessError
from typing import Any

from tests.zygote import Wanted, heard_out, zygote

__all__ = ["DEVNULL", "PIPE", "Popen", "SubprocessError", "run"]


def run(command: Sequence[str], *, input: str, errors: str, **_: Any) -> CompletedProcess[str]:
    """As `subprocess.run` of ``python -P -m trainers.worker.preflight QUESTION``."""
    *_python, module, question = command
    environment = dict(os.environ)
    wanted = Wanted(
        module=module, arguments=[question], folder=os.getcwd(), environment=environment
    )
    with tempfile.TemporaryFile("w+") as stdin:
        stdin.write(input)
        stdin.seek(0)
        with zygote().fork_heard(wanted, stdin=stdin.fileno(), errors=errors) as process:
            code, out, err = heard_out(process)
    assert code is not None
    return CompletedProcess(command, code, out, err)


class Popen:
    """As `subprocess.Popen` of ``python -P -m study.cli VERB``."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], **_: Any) -> None:
        _python, _safe_path, _module, module, *arguments = command
        wanted = Wanted(module=module, arguments=arguments, folder=os.getcwd(), environment=env)
        self._process = zygote().fork_heard(wanted, errors="replace")

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        with self._process:
            _, out, err = heard_out(self._process, timeout)
        return out.encode(), err.encode()

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def wait(self) -> int:
        return self._process.wait()
