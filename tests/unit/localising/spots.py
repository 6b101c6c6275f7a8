"""A problem of bright spots in noise: images of 16x16, learned in moments; and a report to tell."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.exhibits import Exhibit
from trainers.functions import RunStopped
from trainers.jobs import Training
from trainers.localising import Cam
from trainers.problems import bce
from trainers.problems._source import TensorSource
from trainers.problems.regions import Region
from trainers.protocol import TaskFunctions

SIDE, SIZES = 16, {"train": 64, "validation": 40, "test": 48}
TRAINING = Training(epochs=4, batch_size=16)


def drawn(split: str) -> tuple[Tensor, Tensor, list[list[Region]]]:
    """Images ``[N, 1, 16, 16]``, labels ``[N]``, and the spots of each."""
    draws = np.random.default_rng([*SIZES].index(split))
    images = draws.normal(0.3, 0.1, (SIZES[split], 1, SIDE, SIDE))
    spots: list[list[Region]] = []
    for number, image in enumerate(images[:, 0]):
        spots.append([])
        for _ in range(number % 2 * int(draws.integers(1, 3))):
            y, x = draws.integers(2, SIDE - 2, 2)
            mask = np.zeros((SIDE, SIDE), dtype=bool)
            mask[y - 1 : y + 2, x - 1 : x + 2] = True
            image[mask] += 0.3
            kind = "bright" if draws.random() < 0.5 else "dim"
            spots[-1].append(Region(kind=kind, y=float(y), x=float(x), mask=mask))
    labels = torch.tensor([float(bool(of_image)) for of_image in spots])
    return torch.from_numpy(images).float().clamp(0, 1), labels, spots


@dataclass(frozen=True)
class Spots:
    """Options: as other problems have them, to be refused; `regions` are what the judge is told.

    Labels "ones in test" are all 1 there, "gaps in test" all missing.
    """

    regions: str = "true"
    images: str = "labelled"
    classes: int | None = 2
    flat: bool = False
    labels: str = "floats"
    feature_maps: bool = True

    @property
    def card(self) -> ProblemCard:
        metric = MetricCard(name="error_rate", title="error rate", direction="min")
        task = TaskCard(
            name="present", title="Spots", loss="BCE", metrics=(metric,), classes=self.classes
        )
        return ProblemCard(
            name="spots",
            title="Spots",
            kind="synthetic",
            source="drawn",
            data_version="1",
            tasks=(task,),
            sizes=SIZES,
            network="two convolutions",
            images=self.images,  # type: ignore[arg-type] # a card checks it
            feature_maps=self.feature_maps,
        )

    def sources(self, _device: object) -> dict[str, TensorSource]:
        return {split: self._source(split) for split in SIZES}

    def _source(self, split: str) -> TensorSource:
        images, labels, _ = drawn(split)
        as_given = {
            "floats": labels,
            "numbers": labels.long(),
            "column": labels[:, None],
            "counts": labels * 2,
            "maps": labels[:, None, None].expand(-1, 2, 2),
            "some": torch.where(torch.arange(len(labels)) % 5 == 0, -1, labels.long()),
        }
        alike, _, where = self.labels.partition(" in ")
        if split in where:
            label = {"ones": 1.0, "gaps": math.nan}[alike]
            return TensorSource(images, {"present": torch.full_like(labels, label)})
        return TensorSource(images, {"present": as_given.get(self.labels, labels)})

    def trunk(self) -> nn.Module:
        layers = [
            *(
                nn.Conv2d(1, 8, 3, padding=1),
                nn.BatchNorm2d(8, momentum=0.5),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ),
            *(nn.Dropout(0.1), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU()),
        ]
        return nn.Sequential(*layers, *([nn.Flatten()] if self.flat else []))

    def head(self, _task: str) -> nn.Module:
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 1))

    def functions(self, _task: str) -> TaskFunctions:
        return TaskFunctions(loss=bce, metrics={})

    def evaluation_regions(self, split: str) -> Sequence[Sequence[Region]]:
        found = drawn(split)[2]
        changed: dict[str, Sequence[Sequence[Region]]] = {
            "true": found,
            "shuffled": found[1:] + found[:1],
            "none": [],
            "no spots": [[] for _ in found],
            "too few": found[:-1],
            "too small": [
                [Region(kind="dim", y=1.0, x=1.0, mask=np.ones((4, 4), dtype=bool))] for _ in found
            ],
        }
        return changed[self.regions]


@dataclass
class Told:
    """A report that keeps what it is told, and stops or breaks off where it is to.

    Attributes:
        metrics: What trials are ranked by.
        stops: After this step, as a rung or a stop order does.
        breaks: Instead of this report, as a kill does.
    """

    metrics: tuple[str, ...] = ("auroc",)
    stops: int = 0
    breaks: int = 0
    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    shown: dict[int, list[Exhibit]] = field(default_factory=dict)
    phases: list[str] = field(default_factory=list)
    _waiting: list[Exhibit] = field(default_factory=list)

    def __call__(self, step: int, metrics: Mapping[str, float], **counts: int) -> None:
        if step == self.breaks:
            raise KeyboardInterrupt
        assert step not in self.rows
        assert set(metrics) <= Cam().card.reported
        self.rows[step], self.counts[step] = dict(metrics), counts
        self.shown[step], self._waiting = self._waiting, []
        if step == self.stops:
            raise RunStopped

    def show(self, exhibit: Exhibit, *, split: str) -> None:
        assert split == "test"  # hidden as long as a study is sealed
        self._waiting.append(exhibit)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self.phases.append(name)
        yield


def trained(
    folder: Path,
    problem: Any = None,
    told: Told | None = None,
    *,
    seed: int = 0,
    training: Training = TRAINING,
    **params: Any,
) -> Told:
    """What a run tells, from its beginning or from what its folder holds."""
    told = told or Told()
    given: Any = told
    Cam().train(
        problem or Spots(),
        Cam().card.filled({"minimal_area": 2, "lr": 1e-2, **params}),
        seed,
        folder,
        given,
        training=training,
        device="cpu",
    )
    return told
