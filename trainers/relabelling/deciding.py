"""What is done about labels, by what was predicted and given alone; the truth is nowhere here.

Shapes: M passes, N samples with a label, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainers.relabelling.scores import SCORES, Classes, Floats
from trainers.relabelling.settings import Settings
from trainers.relabelling.thresholds import THRESHOLDS, separation


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Which labels are doubtful by one epoch's weights.

    Attributes:
        epoch: From 1, of its training.
        error: On the given labels of validation, 0 to 1.
        given: ``[N]``, the labels that are scored: those that the networks were trained on.
        scores: ``[N]``, larger is more doubtful.
        suspected: ``[N]``.
        proposed: ``[N]``, the most likely classes.
        separation: Of the scores, see `thresholds.separation`.
    """

    epoch: int
    error: float
    given: Classes
    scores: Floats
    suspected: NDArray[np.bool_]
    proposed: Classes
    separation: float


def detected(
    probabilities: Floats, given: Classes, settings: Settings, *, epoch: int, error: float
) -> Detection:
    """Score all labels, and say which are doubtful.

    Args:
        probabilities: ``[M, N, C]``.
        given: ``[N]``, the labels that the networks were trained on.
    """
    scores = SCORES["given-label" if settings.method == "cleanlab" else settings.score](
        probabilities, given
    )
    mean = probabilities.mean(0)
    if settings.method == "cleanlab":
        suspected = _suspected_by_cleanlab(mean, given)
    else:
        suspected = scores > THRESHOLDS[settings.threshold](scores, settings.quantile_share)
    return Detection(
        epoch=epoch,
        error=error,
        given=given,
        scores=scores,
        suspected=suspected,
        proposed=mean.argmax(1),
        separation=separation(scores),
    )


def _lowest_error(new: Detection, best: Detection, _settings: Settings) -> bool:
    return new.error < best.error


def _clearest(new: Detection, best: Detection, _settings: Settings) -> bool:
    return new.separation > best.separation


def _fixed(new: Detection, _best: Detection, settings: Settings) -> bool:
    return new.epoch == settings.fixed_epoch


_BETTER: Final[Mapping[str, Callable[[Detection, Detection, Settings], bool]]] = {
    "lowest-noisy-error": _lowest_error,
    "clearest-separation": _clearest,
    "fixed": _fixed,
}


def better(new: Detection, best: Detection | None, settings: Settings) -> bool:
    """Whether an epoch is chosen over the best before it; of equals the first stays."""
    return best is None or _BETTER[settings.epoch_rule](new, best, settings)


def mended(detection: Detection, action: str) -> tuple[Classes, NDArray[np.bool_]]:
    """Labels ``[N]`` to train on next, and which samples are trained on ``[N]``."""
    given, suspected = detection.given, detection.suspected
    if action == "drop":
        return given, ~suspected
    return np.where(suspected, detection.proposed, given), np.ones(len(given), dtype=bool)


def mended_back(detection: Detection, given: Classes) -> NDArray[np.bool_]:
    """Which samples ``[N]`` are to have the label again that a round before has taken from them.

    Args:
        given: ``[N]``, before anything was mended.
    """
    found: NDArray[np.bool_] = (
        detection.suspected & (detection.given != given) & (detection.proposed == given)
    )
    return found


def _suspected_by_cleanlab(mean: Floats, given: Classes) -> NDArray[np.bool_]:
    """Which labels ``[N]`` confident learning finds wrong, by cleanlab's defaults, in this process.

    Its authors (Northcutt, Jiang & Chuang 2021) ask for predictions of samples that the network was
    not trained on. Here it is given the same ones as the scores it stands beside, those of the
    chosen epoch of a training on all labels: what differs is which labels are doubtful, and no
    further network is trained.

    Args:
        mean: Predicted probabilities ``[N, C]``.
        given: ``[N]``.
    """
    found = import_module("cleanlab.filter").find_label_issues(given, mean, n_jobs=1)
    return np.asarray(found, dtype=bool)
