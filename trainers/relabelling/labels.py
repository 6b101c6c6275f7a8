"""The labels of a split as they are given, and who knows the true ones.

Shapes: N samples of a split, B batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainers.engines.session import Session
from trainers.errors import TaskMismatch
from trainers.protocol import Problem, true_labels
from trainers.randomness import Key
from trainers.relabelling.judging import Judge
from trainers.relabelling.scores import Classes
from trainers.suggestions import shown

_READ_AT_ONCE = 1024


def given_labels(session: Session, split: str, task: str, n_classes: int) -> Classes:
    """Class numbers ``[N]`` in the order in which they are stored; -1 where there is none.

    Raises:
        TaskMismatch: A target is no class number a sample.
    """
    batches = session.sources[split].batches(None, _READ_AT_ONCE, Key("evaluation"))
    parts = [_classes(batch.targets[task], task, n_classes) for batch in batches]
    found: Classes = torch.cat(parts).numpy()
    return found


def refuse_unlearnable(given: Mapping[str, Classes], task: str) -> None:
    """Refuse labels by which no network can be trained, or none be chosen.

    Args:
        given: Labels by split, ``[size]``; -1 where there is none.

    Raises:
        TaskMismatch: Training has labels of fewer than two classes, or validation has no label.
    """
    classes = np.unique(given["train"][given["train"] >= 0])
    if len(classes) < 2:
        found = f"labels of class {classes[0]} alone" if len(classes) else "no label"
        raise TaskMismatch(
            "`uncertainty-relabel` needs training labels of two classes or more. Of its "
            f"{len(given['train']):,} training samples, task {task} has {found}. Label some, or "
            "let more of them keep their labels."
        )
    if not (given["validation"] >= 0).any():
        raise TaskMismatch(
            "`uncertainty-relabel` chooses epochs and trials by labels of validation. Of its "
            f"{len(given['validation']):,} validation samples, task {task} has no label. Label "
            "some: they may be wrong."
        )


def judge_of(problem: Problem, task: str, numbers: Classes) -> Judge | None:
    """Who knows the true labels of training samples; None if nobody does.

    Args:
        numbers: ``[N]``, of the samples that have a label.
    """
    true = true_labels(problem, task, "train")
    return None if true is None else Judge(true.cpu().numpy().astype(np.int64)[numbers])


def _classes(target: Any, task: str, n_classes: int) -> Tensor:
    """Class numbers ``[B]``, -1 where there is none, on the CPU."""
    rule = (
        f"Labels that are mended are targets ``[B]`` of classes 0 to {n_classes - 1}, missing ones "
        f"-1 or NaN. Task {task}"
    )
    if not isinstance(target, Tensor) or target.shape[1:] not in ((), (1,)):
        found = list(target.shape) if isinstance(target, Tensor) else type(target).__name__
        raise TaskMismatch(f"{rule} has {found}. Give one number a sample.")
    flat = target.detach().cpu().reshape(-1)
    there = ~flat.isnan() if flat.is_floating_point() else flat != -1
    labels = flat.where(there, torch.zeros_like(flat))
    classes = labels.to(torch.int64)
    odd = labels[(classes != labels) | (classes < 0) | (classes >= n_classes)]
    if len(odd):
        raise TaskMismatch(
            f"{rule} has {shown(odd[0].item())}. Mend the target, or `classes` on the card."
        )
    return classes.where(there, -1)
