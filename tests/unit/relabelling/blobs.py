"""A problem that learns in a few milliseconds: images whose brightest pixel is their class.

And a report that keeps what it is told, and may end the run as a kill would.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.jobs import Training
from trainers.nets import Mlp, linear_head
from trainers.problems import ErrorRate, TensorSource, cross_entropy
from trainers.problems._noise import Noise
from trainers.problems._noisy_labels import NoisyLabels
from trainers.protocol import TaskFunctions
from trainers.relabelling import UncertaintyRelabel

TASK, N_CLASSES = "place", 4
SIZES = {"train": 48, "validation": 16, "test": 16}
EPOCHS = 3
"""Of each training."""


@dataclass(frozen=True)
class Blobs:
    """Images ``[N, 1, 2, 2]``.

    Attributes:
        images: As the card has it.
        n_missing: Training samples without a label.
    """

    images: Any = "labelled"
    n_missing: int = 0

    @property
    def card(self) -> ProblemCard:
        error = MetricCard(name="error", title="Error", direction="min")
        return ProblemCard(
            name="blobs",
            title="Blobs",
            kind="synthetic",
            source="made up",
            data_version="1",
            tasks=(
                TaskCard(
                    name=TASK,
                    title="Place",
                    loss="cross-entropy",
                    metrics=(error,),
                    classes=N_CLASSES,
                ),
            ),
            sizes=SIZES,
            network="a small MLP",
            images=self.images,
        )

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        found = {}
        for number, (split, size) in enumerate(SIZES.items()):
            classes = torch.arange(size) % N_CLASSES
            bright = nn.functional.one_hot(classes, N_CLASSES).float()
            dim = torch.rand(size, N_CLASSES, generator=torch.Generator().manual_seed(number))
            labels = classes.clone()
            labels[: self.n_missing if split == "train" else 0] = -1
            images = (0.7 * bright + 0.3 * dim).view(size, 1, 2, 2)
            found[split] = TensorSource(images.to(device), {TASK: labels.to(device)})
        return found

    def trunk(self) -> nn.Module:
        return Mlp(N_CLASSES, (16,), dropout=0.1)

    def head(self, task: str) -> nn.Module:
        return linear_head(16, N_CLASSES)

    def functions(self, task: str) -> TaskFunctions:
        return TaskFunctions(loss=cross_entropy, metrics={"error": ErrorRate()})


def noisy(problem: Any = None, rate: float = 0.25) -> NoisyLabels:
    """Blobs with wrong labels in training and validation."""
    noise = Noise(tasks=(TASK,), kind="symmetric", rate=rate)
    return NoisyLabels(problem or Blobs(), noise)


@dataclass
class Lied:
    """A problem whose true labels are others than those it had before the noise."""

    problem: Any

    def true_labels(self, task: str, split: str) -> Tensor:
        return self.problem.true_labels(task, split).flip(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.problem, name)


class Killed(BaseException):
    """The worker is gone."""


class Diverged(BaseException):
    """The run ends by a metric that is no number."""


class Hidden(nn.Module):
    """A trunk whose layers draw by numbers of their own, so that it is no part of a stack."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Mlp(N_CLASSES, (16,), dropout=0.1)

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.layers(inputs)
        return found * (1.0 if found.sum().item() > -math.inf else 0.0)


class Reports:
    """Keeps what it is told, over several attempts of a run.

    Attributes:
        dies_at: The step whose report never arrives; 0 for none.
        metrics: What trials are ranked by.
        rows: Step to metrics and counts.
        shown: Step and name to the exhibit.
    """

    def __init__(self, metrics: tuple[str, ...] = ("error_rate",)) -> None:
        self.metrics, self.dies_at = metrics, 0
        self.rows: dict[int, tuple[dict[str, float], dict[str, Any]]] = {}
        self.shown: dict[tuple[int, str], Any] = {}
        self._next: list[Any] = []

    @property
    def last(self) -> dict[str, float]:
        """Metrics of the last step."""
        return self.rows[max(self.rows)][0]

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        assert name in ("validation", "test", "diagnostics")
        yield

    def show(self, exhibit: Any, *, split: str) -> None:
        assert split == "train"
        self._next.append(exhibit)

    def __call__(self, step: int, metrics: Mapping[str, float], **counts: Any) -> None:
        shown, self._next = self._next, []
        if step == self.dies_at:
            raise Killed
        self.rows[step] = dict(metrics), counts
        self.shown.update({(step, exhibit.name): exhibit for exhibit in shown})
        if not math.isfinite(metrics["error_rate"]):
            raise Diverged


def trained(
    problem: Any,
    folder: Path,
    *,
    report: Reports | None = None,
    most_epochs: int = 100,
    **params: Any,
) -> Reports:
    """What a run of seed 0 reports."""
    trainer, report = UncertaintyRelabel(), report or Reports()
    filled = trainer.card.filled({"epochs_per_round": EPOCHS, "lr": 0.05, **params})
    assert not trainer.refusal(problem.card, filled)
    training = Training(epochs=most_epochs, batch_size=8)
    trainer.train(problem, filled, 0, folder, report, training=training, device="cpu")
    return report
