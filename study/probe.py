"""Looks at a study's network before anything runs, in a process of its own that imports torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from study.errors import WorkersUnusable
from study.plan import Plan
from trainers.events import NetworkFacts


def look_at_network(plan: Plan, *, device: str) -> NetworkFacts:
    """What a worker would find; takes as long as importing torch and loading the data.

    Raises:
        WorkersUnusable: The problem cannot be opened.
    """
    request = {
        "problem": asdict(plan.problem),
        "device": device,
        "threads": plan.training.threads,
        "precision": plan.training.precision,
    }
    process = subprocess.run(
        [sys.executable, "-P", "-m", "trainers.probe"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = process.stdout.strip().splitlines()
    if process.returncode or not lines:
        last = (process.stderr.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        raise WorkersUnusable(f"The network could not be looked at: {last}")
    answer = json.loads(lines[-1])
    if "error" in answer:
        raise WorkersUnusable(answer["error"])
    return NetworkFacts(**answer)
