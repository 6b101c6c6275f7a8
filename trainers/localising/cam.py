"""Trainer `cam`: learns from image labels whether there is a lesion, and shows where.

A convolutional trunk, global average pooling and one linear layer are trained on one task of two
classes. The class activation map of an image, cut off at a threshold, gives regions. Lesions are
known to the judge alone, whose numbers decide nothing.

Gondal, Köhler, Grzeszick, Fink, Hirsch, Weakly-supervised localization of diabetic retinopathy
lesions in retinal fundus images, ICIP 2017, arXiv 1706.09634.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainers.cards import ProblemCard
from trainers.errors import TaskMismatch
from trainers.localising._card import CARD, task_of
from trainers.protocol import Problem
from trainers.trainer_card import TrainerCard

if TYPE_CHECKING:
    from trainers.functions import Report
    from trainers.jobs import Training
    from trainers.localising.epochs import Epochs


class Cam:
    """Class activation maps, from image labels to regions."""

    @property
    def card(self) -> TrainerCard:
        """What it is."""
        return CARD

    def refusal(self, problem: ProblemCard, params: Mapping[str, Any]) -> str:  # noqa: ARG002
        """Why it cannot train a problem; empty if it can."""
        if problem.images == "none":
            return (
                "Trainer `cam` needs inputs that are images [B, channels, H, W]. Those of problem "
                f"{problem.name} are something else, or its card does not say `images`. Take a "
                "problem of images, such as `fundus-lesions`."
            )
        if not task_of(problem):
            classes = ", ".join(
                f"{task.name} {'none' if task.classes is None else task.classes}"
                for task in problem.tasks
            )
            return (
                "Trainer `cam` needs a task of two classes: is an image diseased or not. Problem "
                f"{problem.name} has tasks of these numbers of classes: {classes}. Let a "
                "`TaskCard` say `classes=2`, or take another problem."
            )
        if not problem.feature_maps:
            return (
                "Trainer `cam` needs a trunk that ends in feature maps [B, C, h, w]. That of "
                f"problem {problem.name} ends in something else, or its card does not say so. Let "
                "it end before it pools or flattens them, and a `ProblemCard` say "
                "`feature_maps=True`; or take another problem."
            )
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
        """Train one run to its end, on the first task of two classes.

        Raises:
            NoMaps: The problem's trunk gives no feature maps.
            TaskMismatch: A label is neither 0 nor 1, training images are labelled alike, or trials
                are ranked by labels or lesions of which validation has none.
            BadShape: The lesions that the problem knows are not of its images.
            CheckpointUnreadable: The folder holds a checkpoint of another run.
        """
        from trainers.localising.epochs import Epochs  # loads torch

        epochs = Epochs(problem, params, seed=seed, training=training, device=device, folder=folder)
        if not epochs.run.is_reported:
            self._report(epochs, report)
        while epochs.run.epoch < training.epochs:
            epochs.run.train_epoch()
            self._report(epochs, report)

    @staticmethod
    def _report(epochs: Epochs, report: Report) -> None:
        from trainers.functions import RunStopped

        run = epochs.run
        metrics: dict[str, float] = {}
        with report.phase("validation"):
            metrics |= epochs.metrics("validation")
        if missing := [name for name in report.metrics if name not in metrics]:
            raise TaskMismatch(_without(missing[0]))
        with report.phase("test"):
            metrics |= {f"test_{name}": of for name, of in epochs.metrics("test").items()}
        with report.phase("diagnostics"):
            for exhibit in epochs.exhibits():
                report.show(exhibit, split="test")
        try:
            counts = {"samples": run.n_samples, "grad_evals": run.n_steps}
            report(run.epoch, metrics, **counts, flops=run.flops)
        except RunStopped:
            run.note_reported()
            raise
        run.note_reported()


def _without(metric: str) -> str:
    """Why trials cannot be ranked by a metric that validation does not have."""
    objective = f"An objective of trainer `cam` on {metric} needs"
    if metric == "auroc":
        return (
            f"{objective} validation images with label 0 and with label 1. There are none of one "
            "kind. Take `val_error_rate`, or split the data anew."
        )
    if metric == "error_rate":
        return f"{objective} validation images with a label. There is none. Label some."
    return (
        f"{objective} lesions of validation images. The problem knows of none. Take `val_auroc` or "
        "`val_error_rate`."
    )
