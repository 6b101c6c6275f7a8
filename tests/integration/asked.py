"""Questions before a study runs, answered by a fork of the zygote, which has imported torch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from subprocess import CompletedProcess
from typing import Any

from tests.zygote import Wanted, heard_out, zygote


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
