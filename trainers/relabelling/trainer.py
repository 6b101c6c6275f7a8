"""The trainer as studies know it; what trains is loaded with the first run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainers.cards import ProblemCard
from trainers.errors import BadParameter
from trainers.jobs import Training
from trainers.protocol import Problem
from trainers.relabelling.card import CARD
from trainers.relabelling.settings import Settings, refusal, task_of, too_long, unknowable
from trainers.trainer_card import TrainerCard

if TYPE_CHECKING:
    from trainers.relabelling.telling import Reports


class UncertaintyRelabel:
    """Trains on labels some of which are wrong, mends those that it doubts, and trains anew."""

    @property
    def card(self) -> TrainerCard:
        """What it is."""
        return CARD

    def refusal(self, problem: ProblemCard, params: Mapping[str, Any]) -> str:
        """Why it cannot train a problem, or not with these parameters; empty if it can."""
        return refusal(problem, Settings.of(params))

    def n_epochs(self, params: Mapping[str, Any]) -> int:
        """Epochs of a run in all of its trainings."""
        return Settings.of(params).n_epochs

    def train(
        self,
        problem: Problem,
        params: Mapping[str, Any],
        seed: int,
        folder: Path,
        report: Reports,
        *,
        training: Training,
        device: str,
    ) -> None:
        """Train one run to its end, from where its folder says that it stands.

        Raises:
            BadParameter: All rounds together have more epochs than the study, or the study ranks
                trials by what the run cannot know.
            TaskMismatch: Labels are no class numbers, or too few to learn or to choose by.
        """
        from trainers.engines import open_session
        from trainers.engines.looking.fusable import network_facts
        from trainers.relabelling.dropout import WithDropout
        from trainers.relabelling.labels import given_labels, judge_of, refuse_unlearnable
        from trainers.relabelling.looking import Looks
        from trainers.relabelling.rounds import Rounds
        from trainers.relabelling.telling import Teller
        from trainers.relabelling.training import RunSetup

        settings, task = Settings.of(params), task_of(problem.card)
        session = open_session(WithDropout(problem, settings.dropout), device)
        n_classes = task.classes or 0
        given = {
            split: given_labels(session, split, task.name, n_classes) for split in session.sources
        }
        refuse_unlearnable(given, task.name)
        labelled = (given["train"] >= 0).nonzero()[0]
        judge = judge_of(problem, task.name, labelled)
        why = too_long(settings, training.epochs)
        wrong = math.nan if judge is None else judge.of_given(given["train"][labelled])
        why = why or unknowable(report.metrics, settings, wrong=wrong)
        if why:
            raise BadParameter(why)
        asked = RunSetup(
            session=session,
            task=task.name,
            training=replace(training, epochs=settings.epochs_per_round),
            n_networks=settings.n_networks,
            stacked=settings.n_networks > 1 and not network_facts(session).obstacle,
            lr=settings.lr,
            seed=seed,
        )
        teller = Teller(
            report=report,
            settings=settings,
            given=given["train"][labelled],
            numbers=labelled,
            images=session.sources["train"] if problem.card.images != "none" else None,
            judge=judge,
        )
        looks = Looks(asked, settings, given, n_classes)
        Rounds(asked, settings, given["train"], looks=looks, teller=teller, folder=folder).train()
