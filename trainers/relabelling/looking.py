"""What the networks of a run predict: of the labels that they were trained on, and of the others.

Shapes: M passes, N training samples with a label, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from trainers.network import MultiTaskNetwork, build_network
from trainers.randomness import Key
from trainers.relabelling.passes import dropout_pass_flops, predicted, predicted_with_dropout
from trainers.relabelling.scores import Classes, Floats
from trainers.relabelling.settings import Settings
from trainers.relabelling.training import RunSetup


class Looks:
    """Looks through networks at the samples of a run.

    Args:
        given: Labels by split, ``[size]``, as they are given; -1 where there is none.
        n_classes: C.
    """

    def __init__(
        self, asked: RunSetup, settings: Settings, given: Mapping[str, Classes], n_classes: int
    ) -> None:
        self._asked, self._settings = asked, settings
        self._given, self._n_classes = given, n_classes
        self._labelled = np.flatnonzero(given["train"] >= 0)

    def error(self, networks: Sequence[MultiTaskNetwork], split: str) -> float:
        """Share of a split's labels that the mean prediction does not name; NaN without labels."""
        given = self._given[split]
        wrong = self._predicted(networks, split).mean(0).argmax(1) != given
        return float(wrong[given >= 0].mean()) if (given >= 0).any() else math.nan

    def probabilities(
        self, networks: Sequence[MultiTaskNetwork], *, training: int, epoch: int
    ) -> Floats:
        """Of the training samples ``[M, N, C]``, as the estimator makes them."""
        asked = self._asked
        if self._settings.estimator != "mc-dropout":
            return self._predicted(networks, "train")[:, self._labelled]
        (network,) = networks
        found = predicted_with_dropout(
            network,
            asked.session.sources["train"],
            asked.task,
            n_passes=self._settings.passes,
            batch_size=asked.training.eval_batch_size,
            n_classes=self._n_classes,
            key=Key(str(asked.seed)) / "passes" / training / epoch,
            device=asked.session.device,
        )
        return found[:, self._labelled]

    def flops(self) -> float:
        """Estimated operations of one such look at the training samples."""
        asked, settings = self._asked, self._settings
        if settings.estimator != "mc-dropout":
            of_one = asked.session.judging_flops((asked.task,), ("train",))
            return of_one * settings.n_networks
        train = asked.session.sources["train"]
        network = build_network(asked.session.problem, (asked.task,), Key("flops"))
        network.to(asked.session.device)
        return train.size * dropout_pass_flops(network, train, settings.passes)

    def _predicted(self, networks: Sequence[MultiTaskNetwork], split: str) -> Floats:
        asked = self._asked
        return predicted(
            networks,
            asked.session.sources[split],
            asked.task,
            batch_size=asked.training.eval_batch_size,
            n_classes=self._n_classes,
        )
