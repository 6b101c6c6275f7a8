"""Looks at a study's network before anything runs, in a process of its own that imports torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from study.errors import WorkersUnusable
from study.planning.last_batch import refusal
from study.planning.plan import Plan
from trainers.events import NetworkFacts


@dataclass(frozen=True, slots=True)
class Look:
    """What was found.

    Attributes:
        network: None if parts of the problem fail, so that not even a look goes through.
        findings: What would fail in training, a sentence each.
    """

    network: NetworkFacts | None
    findings: Sequence[str]


def look_at_network(plan: Plan, *, device: str) -> Look:
    """What a worker would find; takes as long as importing torch and loading the data.

    One batch of every split goes through every part of the problem.

    Raises:
        WorkersUnusable: The problem cannot be opened.
    """
    request = {
        "problem": asdict(plan.problem),
        "device": device,
        "training": asdict(plan.training),
    }
    process = subprocess.run(
        [sys.executable, "-P", "-m", "trainers.worker.probe"],
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
    network = None if answer["network"] is None else NetworkFacts(**answer["network"])
    findings = answer["findings"]
    if network is not None and network.last_batch and not findings:
        findings = [refusal(network.last_batch)]
    return Look(network, findings)
