"""A process in the place of the agent of Ray's dashboard: a raylet starts one and waits for it.

As a script, of the standard library only. The agent is Python that loads Ray; without a dashboard,
it says that it has no ports, and goes on until its raylet ends. So does this.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port")
_NONE = "-1"
_LOOK_S = 1.0


def tell(arguments: Sequence[str]) -> None:
    """Say that there are no ports, in files that the raylet reads.

    Args:
        arguments: Of Ray's agent, ``--NAME=VALUE``.
    """
    given = dict(word.removeprefix("--").split("=", 1) for word in arguments if "=" in word)
    for port in PORTS:
        file = Path(given["session-dir"], f"{port}_{given['node-id']}")
        part = file.with_name(f"{file.name}.part")
        part.write_text(_NONE)
        part.rename(file)


if __name__ == "__main__":
    raylet = os.getppid()
    tell(sys.argv[1:])
    while os.getppid() == raylet:
        time.sleep(_LOOK_S)
