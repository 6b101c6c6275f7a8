"""What a worker's start imports, and what it does not."""

from __future__ import annotations

import subprocess
import sys

IMPORTS = """
import sys
import trainers.engines, trainers.functions, trainers.problems, trainers.worker.process
print(*(name for name in ("torch._dynamo", "sympy", "pandas") if name in sys.modules))
"""


def test_what_no_worker_needs_is_not_imported() -> None:
    said = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True
    )
    assert (said.stdout.strip(), said.stderr) == ("", "")
