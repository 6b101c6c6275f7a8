"""What one epoch's network has decided, what it is worth, and what of it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainers.exhibits import Exhibit
from trainers.jobs import Training
from trainers.localising._card import CARD, task_of
from trainers.localising.hits import Matches
from trainers.localising.judge import LesionJudge, metrics_of
from trainers.localising.maps import MapRange
from trainers.localising.network import Looked
from trainers.localising.proposals import ProposedRegion, RegionRule
from trainers.localising.run import CamRun
from trainers.localising.shown import EpochExhibits
from trainers.protocol import Problem

_AT_A_TIME = 64  # images whose maps are as large as they are


@dataclass(frozen=True, slots=True)
class Decided:
    """A split as the network sees it, and what its regions are worth.

    Attributes:
        auroc: Of images; NaN where they are labelled alike.
    """

    looked: Looked
    auroc: float
    proposals: Sequence[Sequence[ProposedRegion]]
    by_rule: Mapping[str, Matches]


class Epochs:
    """A run, and a judge who is told what it decides.

    Args:
        params: Of the trainer, all of them.

    Attributes:
        run: What is trained.
    """

    def __init__(
        self,
        problem: Problem,
        params: Mapping[str, Any],
        *,
        seed: int,
        training: Training,
        device: str,
        folder: Path,
    ) -> None:
        self.run = CamRun(
            problem,
            task_of(problem.card),
            params,
            seed=seed,
            training=training,
            device=torch.device(device),
            folder=folder,
        )
        self._params, self._seed = params, seed
        self._judge = LesionJudge(problem, float(params["hit_distance"]))
        self._decided: dict[str, Decided] = {}

    def metrics(self, split: str) -> dict[str, float]:
        """Metrics of a split now, ``validation`` before others; all NaN if it has diverged.

        Left out is what cannot be known: by labels that are missing, or lesions.
        """
        looked = self.run.look(split)
        metrics = looked.metrics()
        if looked.has_diverged or math.isinf(metrics["loss"]):
            self._decided.pop(split, None)
            return dict.fromkeys(["loss", *(metric.name for metric in CARD.metrics)], math.nan)
        if split == "validation":
            self._rule = self._rule_of(looked)
        proposals = proposals_of(looked, self._rule)
        by_rule = self._judge.judged(split, proposals, looked.size)
        self._decided[split] = Decided(looked, metrics["auroc"], proposals, by_rule)
        known = {name: value for name, value in metrics.items() if not math.isnan(value)}
        return known | metrics_of(by_rule)

    def exhibits(self) -> Iterator[Exhibit]:
        """What is shown of the test split, of each epoch that is the best so far on validation.

        Best by the AUROC of images, so that no lesion decides what is seen; of each epoch if there
        is none, of images that are labelled alike.
        """
        if {"validation", "test"} - {*self._decided}:
            return
        auroc = self._decided["validation"].auroc
        if auroc <= self.run.best:
            return
        if not math.isnan(auroc):
            self.run.best = auroc
        test = self._decided["test"]
        shown = EpochExhibits(epoch=self.run.epoch, seed=self._seed, size=test.looked.size)
        if test.by_rule:
            if any(len(matches.lesion_scores) for matches in test.by_rule.values()):
                yield shown.froc(test.by_rule)  # without lesions there is no curve
            yield shown.table(test.by_rule)
        yield shown.images(test.looked, test.by_rule)
        numbers = shown.chosen(test.looked.labels.numpy())
        yield shown.pictures(
            numbers,
            self.run.images("test", numbers),
            test.looked,
            test.proposals,
            self._judge.lesions.get("test", ()),
        )

    def _rule_of(self, validation: Looked) -> RegionRule:
        return RegionRule(
            over=MapRange.of(validation.maps) if self._params["normalise"] == "data" else None,
            gate=bool(self._params["gate"]),
            threshold=float(self._params["threshold"]),
            minimal_area=int(self._params["minimal_area"]),
        )


def proposals_of(looked: Looked, rule: RegionRule) -> list[tuple[ProposedRegion, ...]]:
    """The regions of each image of a split."""
    found: list[tuple[ProposedRegion, ...]] = []
    for start in range(0, len(looked.maps), _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        found += rule.proposals(looked.maps[part], looked.probabilities[part], looked.size)
    return found
