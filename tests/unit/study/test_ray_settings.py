"""Ray is told how to behave before it is imported."""

from __future__ import annotations

import os
import subprocess
import sys

FIRST = """
import study.drivers.ray_tune.channel
from ray._private import auto_init_hook
print(auto_init_hook.enable_auto_connect)
"""


def test_no_thread_connects_to_a_ray_again_whichever_module_came_first() -> None:
    """Of a driver whose Ray has gone, one would, to that of somebody else."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", FIRST], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
