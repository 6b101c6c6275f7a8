"""A trainer whose runs take microseconds, as its user would write one; and what it may do wrong.

A spec in a folder with this file names it ``tiny_trainer:Tiny``; its problem is the toy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainers.cards import MetricCard, ProblemCard
from trainers.functions import Report
from trainers.jobs import Training
from trainers.protocol import Problem
from trainers.trainer_card import ObjectiveCard, ParameterCard, TrainerCard


class Tiny:
    """Two rounds of an error that falls to the seed's own floor."""

    @property
    def card(self) -> TrainerCard:
        return TrainerCard(
            name="tiny",
            title="Tiny trainer",
            source="made up",
            task_title="A falling error",
            metrics=(
                MetricCard(name="error", title="Error", direction="min"),
                MetricCard(name="found", title="Found", direction="max", uses_truth=True),
            ),
            objectives=(
                ObjectiveCard(name="noisy_val_error", metric="error", title="noisy error"),
                ObjectiveCard(name="truly_found", metric="found", uses_truth=True),
            ),
            parameters=(
                ParameterCard(name="rate", title="rate", default=0.5, low=0.0, high=1.0),
                ParameterCard(name="rounds", title="rounds", default=2, low=1, integer=True),
                ParameterCard(name="way", title="way", default="plain", choices=("plain", "odd")),
                ParameterCard(name="dies", title="dies", default=False, choices=(False, True)),
            ),
        )

    def refusal(self, problem: ProblemCard, params: Mapping[str, Any]) -> str:
        if "kind" not in problem.task_names:
            return f"Tiny needs a task `kind`. Problem {problem.name} has none. Take the toy."
        if params["way"] == "odd" and params["rounds"] == 1:
            return "`way` odd needs two rounds or more. Got 1. Raise `rounds`."
        return ""

    def train(
        self,
        problem: Problem,
        params: Mapping[str, Any],
        seed: int,
        folder: Path,
        report: Report,
        *,
        training: Training,
        device: str,
    ) -> None:
        state = folder / "state.json"
        first, error = json.loads(state.read_text()) if state.exists() else (1, 8.0)
        n_train = problem.sources(device)["train"].size  # type: ignore[arg-type]
        a_round = training.epochs // params["rounds"]
        for step in range(first, training.epochs + 1):
            if params["dies"] and step == a_round + 2 and not (folder / "died").exists():
                (folder / "died").touch()
                os._exit(9)
            error = error * params["rate"] + 0.01 * seed
            with report.phase("validation"):
                found = 1.0 - error / 8.0
            state.write_text(json.dumps([step + 1, error]))
            report(
                step,
                {"error": error, "test_error": 2 * error, "loss": error**2, "found": found},
                round=1 + (step - 1) // a_round,
                samples=n_train,
                grad_evals=3,
                flops=100.0,
            )
