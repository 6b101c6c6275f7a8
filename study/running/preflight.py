"""What is tried before anything runs, in a process of its own that imports torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from study.errors import WorkersUnusable
from study.planning.last_batch import refusal
from trainers.events import NetworkFacts, Promise
from trainers.jobs import Precision, ProblemRef, Training

if TYPE_CHECKING:
    from study.planning.plan import Plan

_BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found of a study's network.

    Attributes:
        network: None if parts of the problem fail, so that not even a look goes through.
        findings: What would fail in training, a sentence each.
    """

    network: NetworkFacts | None
    findings: Sequence[str]


def look_at_network(plan: Plan, *, device: str) -> Preflight:
    """What a worker would find; takes as long as importing torch and loading the data.

    One batch of every split goes through every part of the problem, and each weighting is tried.

    Raises:
        WorkersUnusable: The problem cannot be opened.
    """
    answer = _answer(
        "network",
        plan.problem,
        plan.training,
        device,
        failed="The network could not be looked at",
        weightings={
            search.weighting: {
                "solo_only": bool(search.solo_only),
                "point": dict(search.anchors),
            }
            for search in plan.searches
            if search.role == "search" and not search.trains_itself
        },
    )
    network = None if answer["network"] is None else NetworkFacts(**answer["network"])
    findings = answer["findings"]
    if network is not None and network.last_batch and not findings:
        findings = [refusal(network.last_batch)]
    return Preflight(network, findings)


def check_problem(ref: ProblemRef, *, device: str, precision: Precision) -> Sequence[Promise]:
    """Try a problem; takes as long as importing torch, loading the data and a few steps.

    Raises:
        WorkersUnusable: The problem cannot be opened.
    """
    training = Training(epochs=1, batch_size=_BATCH_SIZE, precision=precision)
    answer = _answer("promises", ref, training, device, failed="The problem could not be tried")
    return [Promise(**promise) for promise in answer["promises"]]


def _answer(
    question: str,
    ref: ProblemRef,
    training: Training,
    device: str,
    *,
    failed: str,
    weightings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Mapping[str, Any]:
    """What `trainers.worker.preflight` says to a question: the last line that it prints, as JSON.

    Raises:
        WorkersUnusable: It says that the problem cannot be opened, or it ends without a word.
    """
    request = {
        "problem": asdict(ref),
        "device": device,
        "training": asdict(training),
        "weightings": weightings or {},
    }
    process = subprocess.run(
        [sys.executable, "-P", "-m", "trainers.worker.preflight", question],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        errors="replace",  # a problem may print what it likes
        check=False,
    )
    lines = process.stdout.strip().splitlines()
    if process.returncode or not lines:
        last = (process.stderr.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        raise WorkersUnusable(f"{failed}: {last}")
    answer: Mapping[str, Any] = json.loads(lines[-1])
    if "error" in answer:
        raise WorkersUnusable(answer["error"])
    return answer
