"""Where a run stands: written before each report, so that a kill loses nothing.

All draws are functions of seed, training and epoch, so that no generator is part of it.

Shapes: N samples with a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from trainers.keeping import checkpoints
from trainers.keeping.checkpoints import State
from trainers.relabelling.deciding import Detection
from trainers.relabelling.scores import Classes, Floats

_FILE: Final = "progress.pt"
_ARRAYS: Final = ("given", "scores", "suspected", "proposed")
_OF_SAMPLES: Final = ("labels", "kept", "suspicion", "proposed")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReport:
    """What was reported last, to be told again if nobody has heard it.

    Attributes:
        step: Epochs of all trainings so far.
        round: Number of its training, from 1.
    """

    step: int
    round: int
    metrics: Mapping[str, float]
    samples: int
    grad_evals: int
    flops: float


@dataclass(slots=True, kw_only=True)
class Progress:
    """Between two epochs of a run.

    Attributes:
        training: Number of the training under way, from 1.
        epoch: Epochs that it has done; 0 right after labels were mended.
        labels: ``[N]``, that it is trained on.
        kept: ``[N]``, which samples it is trained on.
        suspicion: ``[N]``, the score by which a label was last found doubtful; NaN if none was.
        proposed: ``[N]``, the class that was then the most likely one; else the label given.
        best: Of the epochs of this training so far, the one that the epoch rule chooses.
        last: Of the epoch that is told next.
        standing: Metrics of the last decision on labels.
        lowest: Metrics of the epoch of lowest error, where training stops early.
        told: The last report, which may not have been made.
    """

    labels: Classes
    kept: NDArray[np.bool_]
    suspicion: Floats
    proposed: Classes
    training: int = 1
    epoch: int = 0
    best: Detection | None = None
    last: Detection | None = None
    standing: dict[str, float] = field(default_factory=dict)
    lowest: dict[str, float] = field(default_factory=dict)
    told: LastReport | None = None

    @classmethod
    def begun(cls, given: Classes) -> Progress:
        """Of labels ``[N]`` that nobody has looked at."""
        return cls(
            labels=given,
            kept=np.ones(len(given), dtype=bool),
            suspicion=np.full(len(given), np.nan),
            proposed=given,
        )


def path_in(folder: Path) -> Path:
    """The file of a run."""
    return folder / _FILE


def save(progress: Progress, networks: Mapping[int, State], folder: Path) -> None:
    """Write where a run stands, with the states of its networks.

    Raises:
        OSError: The disk is full, or the folder not writable.
    """
    names = ("training", "epoch", "standing", "lowest")
    content = {
        "runs": dict(networks),
        **{name: getattr(progress, name) for name in names},
        **{name: torch.from_numpy(getattr(progress, name)) for name in _OF_SAMPLES},
        **{name: _plain(getattr(progress, name)) for name in ("best", "last")},
        "told": None if progress.told is None else asdict(progress.told),
    }
    checkpoints.save(content, str(path_in(folder)))


def load(folder: Path) -> Progress | None:
    """Where a run stands; None if it has not begun.

    Raises:
        CheckpointUnreadable: The file is torn.
    """
    if not path_in(folder).exists():
        return None
    found = checkpoints.load(str(path_in(folder)))
    return Progress(
        training=found["training"],
        epoch=found["epoch"],
        standing=found["standing"],
        lowest=found["lowest"],
        **{name: found[name].numpy() for name in _OF_SAMPLES},
        best=_detection(found["best"]),
        last=_detection(found["last"]),
        told=None if found["told"] is None else LastReport(**found["told"]),
    )


def _plain(detection: Detection | None) -> dict[str, Any] | None:
    if detection is None:
        return None
    plain = asdict(detection)
    return {**plain, **{name: torch.from_numpy(plain[name]) for name in _ARRAYS}}


def _detection(plain: Mapping[str, Any] | None) -> Detection | None:
    if plain is None:
        return None
    return Detection(**{**plain, **{name: plain[name].numpy() for name in _ARRAYS}})
