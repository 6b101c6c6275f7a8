"""Tries what a problem must keep to, in a process of its own that imports torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from study.errors import WorkersUnusable
from trainers.jobs import ProblemRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One promise of a problem.

    Attributes:
        needed: Whether runs are wrong without it; else they are slower, or begin again.
        found: What stands against it, as a sentence; empty if it is kept.
    """

    name: str
    needed: bool
    found: str

    @property
    def broken(self) -> bool:
        """Whether runs of this problem would be wrong."""
        return self.needed and bool(self.found)


def check_problem(ref: ProblemRef, *, device: str, threads: int, precision: str) -> Sequence[Tried]:
    """Try a problem; takes as long as importing torch, loading the data and a few steps.

    Raises:
        WorkersUnusable: The problem cannot be opened.
    """
    request = {
        "problem": asdict(ref),
        "device": device,
        "threads": threads,
        "precision": precision,
    }
    process = subprocess.run(
        [sys.executable, "-P", "-m", "trainers.worker.check"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    lines = process.stdout.strip().splitlines()
    if process.returncode or not lines:
        last = (process.stderr.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        raise WorkersUnusable(f"The problem could not be tried: {last}")
    answer: Mapping[str, Any] = json.loads(lines[-1])
    if "error" in answer:
        raise WorkersUnusable(answer["error"])
    return [Tried(**promise) for promise in answer["promises"]]
