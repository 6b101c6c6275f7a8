"""What a run says of its decisions: metrics, of which the judge knows some, and exhibits.

Shapes: N samples with a label.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from trainers.protocol import Source
from trainers.relabelling import showing
from trainers.relabelling.deciding import Detection, mended
from trainers.relabelling.judging import Judge
from trainers.relabelling.keeping import Progress
from trainers.relabelling.scores import Classes
from trainers.relabelling.settings import Settings


class Reports(Protocol):
    """What a run needs of `trainers.functions.Report`."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """What trials are ranked by."""

    def __call__(self, step: int, metrics: Mapping[str, float], **counts: Any) -> None:
        """Say what has come of an epoch."""

    def phase(
        self, name: Literal["validation", "test", "diagnostics"]
    ) -> AbstractContextManager[Any]:
        """Whose seconds those of the block are."""

    def show(self, exhibit: Any, *, split: Literal["train", "validation", "test"]) -> None:
        """Show something of a split with the next report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Makes the reports of a run.

    Attributes:
        given: ``[N]``, as they are given.
        numbers: ``[N]``, of their samples in the training split.
        images: Training samples, if they are images that can be shown.
        judge: None: nobody knows the true labels.
    """

    report: Reports
    settings: Settings
    given: Classes
    numbers: NDArray[np.int64]
    images: Source | None
    judge: Judge | None

    def of_labels_as_given(self) -> dict[str, float]:
        """Metrics while no label has been looked at."""
        if self.judge is None:
            return {}
        share = self.judge.of_given(self.given)
        return _finite({"wrong_labels_before": share, "wrong_labels_after": share})

    def of_decision(self, found: Detection) -> dict[str, float]:
        """Metrics of a decision on labels, as they are once it is carried out."""
        metrics = {"suspect_share": float(found.suspected.mean()), "separation": found.separation}
        if self.judge is None:
            return metrics
        with self.report.phase("diagnostics"):
            shares = {
                "wrong_labels_before": self.judge.of_given(self.given),
                "wrong_labels_after": self.judge.of_labels(*mended(found, self.settings.action)),
            }
            return {**metrics, **self.judge.of_detection(found), **_finite(shares)}

    def tell(self, progress: Progress) -> None:
        """Make the last report, with what it shows."""
        if (told := progress.told) is None:
            return
        with self.report.phase("diagnostics"):
            self._show(progress)
        self.report(
            told.step,
            told.metrics,
            round=told.round,
            samples=told.samples,
            grad_evals=told.grad_evals,
            flops=told.flops,
        )

    def _show(self, progress: Progress) -> None:
        if (last := progress.last) is None:
            return
        groups = {"all labels": np.ones(len(last.scores), dtype=bool)}
        if self.judge is not None:
            groups = self.judge.apart(last.given)
        score = "given-label" if self.settings.method == "cleanlab" else self.settings.score
        self.report.show(showing.histogram(last.scores, score, groups), split="train")
        if progress.epoch:
            return  # suspects are those of a decision, at the end of a training
        suspects = self.given, progress.proposed, progress.suspicion, self.numbers
        self.report.show(showing.table(*suspects), split="train")
        if self.images is not None:
            pictures = showing.pictures(*suspects, self.images)
            if pictures is not None:
                self.report.show(pictures, split="train")


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
