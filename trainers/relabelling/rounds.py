"""A run from its first epoch to its last: train, look at the labels, mend them, train anew.

What is decided here is decided by labels as they are given. The judge, who knows the true ones, is
with the teller, who is asked for numbers to report once a decision stands.

Shapes: N samples with a label.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trainers.network import MultiTaskNetwork
from trainers.relabelling import keeping
from trainers.relabelling.card import CARD, ERROR
from trainers.relabelling.deciding import Detection, better, detected, mended, mended_back
from trainers.relabelling.keeping import LastReport, Progress
from trainers.relabelling.looking import Looks
from trainers.relabelling.scores import Classes
from trainers.relabelling.settings import Settings
from trainers.relabelling.telling import Teller
from trainers.relabelling.training import RunSetup, Trained, checkpoint

_DIVERGED = {objective.metric: math.nan for objective in CARD.objectives}
"""What a run reports whose losses are no numbers any more: it ends by it."""


class Rounds:
    """One run.

    Args:
        asked: Its trainings.
        given: Labels of all training samples, as they are given; -1 where there is none.
        folder: Where it is kept.
    """

    def __init__(
        self,
        asked: RunSetup,
        settings: Settings,
        given: Classes,
        *,
        looks: Looks,
        teller: Teller,
        folder: Path,
    ) -> None:
        self._asked, self._settings, self._given = asked, settings, given
        self._looks, self._teller, self._folder = looks, teller, folder
        self._labelled = np.flatnonzero(given >= 0)
        self._look_flops = looks.flops() if settings.mends else 0.0

    def train(self) -> None:
        """Train to the end, from where an earlier attempt has left it.

        Raises:
            CheckpointUnreadable: What that has left is torn.
        """
        progress = keeping.load(self._folder)
        if progress is None:
            progress = Progress.begun(self._given[self._labelled])
        else:
            self._teller.tell(progress)  # which a kill may have prevented; twice does no harm
        while progress.training <= self._settings.n_trainings:
            self._train_once(progress)

    def _train_once(self, progress: Progress) -> None:
        """One training to its end, and what becomes of the labels then."""
        number, epochs = progress.training, self._asked.training.epochs
        place = keeping.path_in(self._folder)
        resume = checkpoint(place, progress.epoch) if progress.epoch else None
        trained = Trained(self._asked, *self._trained_on(progress), number, resume)
        while progress.training == number:
            losses, grad_evals = trained.train_epoch()
            progress.epoch = trained.epoch
            learned = all(map(math.isfinite, losses))
            metrics = self._seen(trained.networks(), progress) if learned else _DIVERGED
            progress.told = LastReport(
                step=(number - 1) * epochs + trained.epoch,
                round=number,
                metrics=metrics,
                samples=trained.n_samples,
                grad_evals=grad_evals,
                flops=trained.flops + (self._look_flops if progress.last else 0.0),
            )
            states = trained.states()
            if trained.epoch == epochs:
                self._end_training(progress)
                states = {}
            if learned:  # else the report is the last one
                keeping.save(progress, states, self._folder)
            self._teller.tell(progress)

    def _trained_on(self, progress: Progress) -> tuple[Tensor, Tensor]:
        """Labels of all samples, and the numbers of those that are trained on."""
        labels = np.full(len(self._given), -1, dtype=np.int64)
        labels[self._labelled] = progress.labels
        return torch.from_numpy(labels), torch.from_numpy(self._labelled[progress.kept])

    def _seen(self, networks: list[MultiTaskNetwork], progress: Progress) -> Mapping[str, float]:
        """What an epoch's networks are worth, and what they make of the labels; its metrics."""
        report, settings = self._teller.report, self._settings
        with report.phase("validation"):
            error = self._looks.error(networks, "validation")
        with report.phase("test"):
            metrics = {ERROR: error, f"test_{ERROR}": self._looks.error(networks, "test")}
        if settings.method == "early-stopping":
            if not progress.lowest or error < progress.lowest[ERROR]:
                progress.lowest = metrics
            metrics = progress.lowest
        progress.last = None
        if progress.training == settings.n_trainings:
            return {**(progress.standing or self._teller.of_labels_as_given()), **metrics}
        number, epoch = progress.training, progress.epoch
        with report.phase("validation"):
            seen = self._looks.probabilities(networks, training=number, epoch=epoch)
            found = detected(seen, progress.labels, settings, epoch=epoch, error=error)
        progress.last = found
        if better(found, progress.best, settings):
            progress.best = found
        return {**self._judged(found, progress), **metrics}

    def _judged(self, found: Detection, progress: Progress) -> dict[str, float]:
        """Metrics of a decision. What trials are ranked by is never without a value.

        Once no label is wrong any more, nothing tells wrong ones from right ones: the value of the
        round before stands.
        """
        ranked_by = self._teller.report.metrics
        held = {name: of for name, of in progress.standing.items() if name in ranked_by}
        return {**held, **self._teller.of_decision(found)}

    def _end_training(self, progress: Progress) -> None:
        """Mend the labels by the epoch that was chosen, or end."""
        best = progress.best
        if best is not None:
            progress.standing = self._judged(best, progress)
            progress.labels, progress.kept = mended(best, self._settings.action)
            if self._settings.action == "drop":  # who is left out is asked anew each time
                progress.suspicion = np.full(len(best.scores), np.nan)
            progress.suspicion = np.where(best.suspected, best.scores, progress.suspicion)
            progress.proposed = np.where(best.suspected, best.proposed, progress.proposed)
            progress.suspicion[mended_back(best, self._given[self._labelled])] = np.nan
            progress.best = None
        progress.training, progress.epoch = progress.training + 1, 0
