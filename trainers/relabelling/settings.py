"""The parameters of a run as values, and which of them do not go together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Any

from trainers.cards import ProblemCard, TaskCard
from trainers.relabelling.card import CARD

_SILENT_WITH_ONE = ("mutual-information", "spread")
"""Scores of how much passes differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each attribute is the parameter of that name, see `trainers.relabelling.card`."""

    method: str
    estimator: str
    passes: int
    networks: int
    score: str
    threshold: str
    quantile_share: float
    epoch_rule: str
    fixed_epoch: int
    action: str
    rounds: int
    epochs_per_round: int
    lr: float
    dropout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Settings:
        """Of all parameters by name."""
        return cls(**{field.name: params[field.name] for field in fields(cls)})

    @property
    def mends(self) -> bool:
        """Whether labels are looked at, and trained on anew once they are mended."""
        return self.method in ("relabel", "cleanlab")

    @property
    def n_trainings(self) -> int:
        """How often a network is trained from scratch."""
        return self.rounds + 1 if self.mends else 1

    @property
    def n_networks(self) -> int:
        """Networks that are trained together."""
        return self.networks if self.estimator == "ensemble" else 1

    @property
    def n_epochs(self) -> int:
        """Epochs of all trainings together."""
        return self.n_trainings * self.epochs_per_round


def refusal(problem: ProblemCard, settings: Settings) -> str:
    """Why a problem or settings cannot be trained: the rule, the finding, the way out; or empty."""
    classified = [task.name for task in problem.tasks if task.classes is not None]
    if len(classified) != 1:
        found = ", ".join(classified) or "none"
        way_out = (
            f'Choose one: `tasks = ["{classified[0]}"]`.'
            if classified
            else "Take another, or write how many `classes` it has on its TaskCard."
        )
        return (
            "`uncertainty-relabel` mends the labels of one task of one class a sample. Those of "
            f"problem {problem.name}: {found}. {way_out}"
        )
    if not settings.mends:
        return ""
    if settings.estimator == "mc-dropout" and settings.dropout == 0:
        return (
            "`mc-dropout` needs a network that drops something. Got `dropout = 0`, with which all "
            'passes are the same. Raise it, or take `estimator = "softmax"`.'
        )
    if settings.method == "cleanlab":
        return _without_cleanlab()
    if settings.estimator == "softmax" and settings.score in _SILENT_WITH_ONE:
        return (
            f"The score `{settings.score}` is how much predictions differ. "
            '`estimator = "softmax"` makes one only, so that it is 0 for all. Take '
            '`score = "given-label"` or `"entropy"`, or another estimator.'
        )
    if settings.epoch_rule == "fixed" and settings.fixed_epoch > settings.epochs_per_round:
        return (
            "`fixed_epoch` must be one of the `epochs_per_round`. Got epoch "
            f"{settings.fixed_epoch} of {settings.epochs_per_round}. Lower it, or train longer."
        )
    return ""


def too_long(settings: Settings, most_epochs: int) -> str:
    """Why a run does not fit into the epochs of a study; empty if it does."""
    if settings.n_epochs <= most_epochs:
        return ""
    return (
        f"`epochs` in [training] are the most that all rounds may take together. Got {most_epochs} "
        f"for {settings.n_trainings} trainings of `epochs_per_round = "
        f"{settings.epochs_per_round}`. Set `epochs = {settings.n_epochs}`, or lower "
        "`epochs_per_round` or `rounds`."
    )


def unknowable(metrics: Sequence[str], settings: Settings, *, wrong: float) -> str:
    """Why trials cannot be ranked by metrics; empty if they can.

    Args:
        wrong: Share of wrong training labels, 0 to 1; NaN if nobody knows the true ones.
    """
    by_truth = [one.name for one in CARD.metrics if one.uses_truth]
    of_looking = [name for name in by_truth if name.startswith("detection_")]
    for metric in metrics:
        if metric in by_truth and math.isnan(wrong):
            return (
                f"`{metric}` is known where the true labels are: under `label_noise`, or of a "
                "problem with `true_labels`. This one has none. Take `objective = "
                '"noisy_val_error"`.'
            )
        if metric in of_looking and not settings.mends:
            return (
                f'`method = "{settings.method}"` looks for no wrong labels, and has no `{metric}`. '
                'Leave it out of this study, or take `objective = "noisy_val_error"`.'
            )
        if metric in of_looking and wrong in (0.0, 1.0):
            return (
                f"`{metric}` is how well wrong labels are told from right ones, of which there "
                f"must be some. Here all are {'wrong' if wrong else 'right'}. Set another `rate` "
                'of label noise, or take `objective = "noisy_val_error"`.'
            )
    return ""


def task_of(problem: ProblemCard) -> TaskCard:
    """The task whose labels are mended, of a problem that is not refused."""
    return next(task for task in problem.tasks if task.classes is not None)


def _without_cleanlab() -> str:
    if find_spec("cleanlab") is not None:
        return ""
    return (
        '`method = "cleanlab"` needs the package cleanlab, which is not installed here. '
        "Install `weighbridge[cleanlab]` wherever workers run, or take another method."
    )
