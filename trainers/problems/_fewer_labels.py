"""A problem of which some tasks keep their labels for a part of the training samples only.

Samples stay, so the other tasks learn from all of them; what is hidden is missing in the sense of
the losses: class -1, or NaN. Which samples keep a label is drawn task by task from one order of
all samples, so those of a smaller fraction are among those of a larger one, whatever the seed.

Shapes: N training samples, B batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from trainers.cards import ProblemCard
from trainers.problems._numbered import NumberedSource
from trainers.problems._wrapped import WrappedProblem
from trainers.problems.errors import BadOption, BadShape
from trainers.protocol import Source, TaskFunctions, labelled_samples
from trainers.randomness import Key
from trainers.suggestions import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor, device

DRAW_VERSION = 1  # to be raised when the same fractions would keep other labels


def n_labelled(fraction: float, n_samples: int) -> int:
    """How many samples keep their label, rounded up: 0.1 of 1,000 are 100, of 5 one."""
    return math.ceil(Fraction(str(fraction)) * n_samples)


@dataclass(frozen=True, slots=True)
class FewerLabels(WrappedProblem):
    """A problem, and which share of the training samples keeps the labels of some tasks.

    Attributes:
        problem: One that computes anything of training targets has a method ``with_labels`` that
            takes what `labelled` is, and the tasks that have fewer, and returns one that does not
            look at labels that are hidden.
        fractions: Task to a share, above 0 and below 1; other tasks keep all labels.

    Raises:
        BadOption: There is no such task.
    """

    fractions: Mapping[str, float]

    def __post_init__(self) -> None:
        if with_labels := getattr(self.problem, "with_labels", None):
            object.__setattr__(self, "problem", with_labels(self.labelled, tuple(self.fractions)))
        known = self.problem.card.task_names
        for task in self.fractions:
            if task not in known:
                raise BadOption(
                    f"`train_fraction` must name tasks of the problem: {', '.join(known)}. Got "
                    f"`{task}`.{did_you_mean(task, known)} Use their names, or one number for all."
                )

    @property
    def card(self) -> ProblemCard:
        """That of the problem; which labels are kept is part of its data, and told."""
        card = self.problem.card
        n_samples = card.sizes["train"]
        labels = {**self.fractions, "": DRAW_VERSION}
        told = ", ".join(
            f"{n_labelled(fraction, n_samples):,} of task {task}"
            for task, fraction in self.fractions.items()
        )
        return replace(
            card,
            data_version={"data": card.data_version, "labels": labels},
            caveats=(
                *card.caveats,
                f"Of the {n_samples:,} training samples some have no label: there are {told}. A "
                "single-task network of such a task is trained on those alone, for as many steps.",
            ),
        )

    def sources(self, device: device) -> dict[str, Source]:
        """The splits; labels are missing in the training split only."""
        found = dict(self.problem.sources(device))
        if train := found.get("train"):
            kept = {task: self.labelled(task, train.size) for task in self.fractions}
            counts = {task: self.functions(task).valid_elements for task in self.fractions}
            found["train"] = _PartlyLabelled(train, kept, counts)
        return found

    def functions(self, task: str) -> TaskFunctions:
        """Those of the problem; a task with hidden labels counts its valid elements.

        Raises:
            BadOption: Nobody knows whether its loss leaves missing labels out.
        """
        from trainers.problems import _losses

        found = self.problem.functions(task)
        if task not in self.fractions or found.valid_elements is not None:
            return found
        ours = (_losses.cross_entropy, _losses.l1, _losses.mse, _losses.bce)
        if not any(found.loss is loss for loss in ours):
            raise BadOption(
                f"`train_fraction` needs a loss that leaves missing labels out, class -1 or NaN. "
                f"Task {task} has one of its own and no `valid_elements`. Give both in its "
                "TaskFunctions, or use a loss of trainers.problems."
            )
        return replace(found, valid_elements=_losses.valid_elements)

    def refuse_odd_losses(self) -> None:
        """Refuse tasks whose labels cannot be missing, before anything is trained.

        Raises:
            BadOption: As `functions` does.
        """
        for task in self.fractions:
            self.functions(task)

    def labelled(self, task: str, n_samples: int) -> Tensor:
        """Numbers ``[n]`` of the training samples that keep the task's label, in no order."""
        import torch

        generator = (Key("train_fraction") / task).generator()
        order = torch.randperm(n_samples, generator=generator)
        return order[: n_labelled(self.fractions[task], n_samples)]

    def labelled_samples(self, n_samples: int) -> dict[str, Tensor]:
        """Of tasks without a label for each of N training samples: those that have one, ``[n]``.

        Raises:
            BadOption: The problem lacks labels of its own, and of a task none is left.
        """
        import torch

        own = labelled_samples(self.problem, n_samples)
        found = {task: self.labelled(task, n_samples) for task in self.fractions}
        for task in {*own} & {*found}:
            found[task] = found[task][torch.isin(found[task], own[task])]
            if not len(found[task]):
                raise BadOption(
                    f"`train_fraction` must leave each task a label. Of {n_samples} samples "
                    f"{len(own[task])} have one of task {task}, and {self.fractions[task]:g} keep "
                    "none of these. Raise it."
                )
        return {**own, **found}


class _PartlyLabelled(NumberedSource):
    """Training samples without some labels.

    Args:
        kept: Task to the numbers of samples that have one.
        counts: Task to what counts its valid elements.
    """

    def __init__(
        self, source: Source, kept: Mapping[str, Tensor], counts: Mapping[str, Any]
    ) -> None:
        import torch

        super().__init__(source)
        self._counts = counts
        self._checked: set[str] = set()
        self._hidden: dict[str, Tensor] = {}
        for task, numbers in kept.items():
            self._hidden[task] = torch.ones(source.size, dtype=torch.bool)
            self._hidden[task][numbers] = False

    def changed(self, targets: Mapping[str, Any], rows: Tensor) -> dict[str, Any]:
        """With what is hidden missing.

        Raises:
            BadShape: A target is no tensor of a label a sample, in numbers that can be missing.
            BadOption: The task counts what is missing as valid.
        """
        found = dict(targets)
        for task, of_all in self._hidden.items():
            hidden = of_all[rows]
            if hidden.any():
                found[task] = _without(found[task], hidden, task)
                if task not in self._checked:
                    self._checked.add(task)
                    self._refuse_counted(found[task][hidden.to(found[task].device)], task)
        return found

    def _refuse_counted(self, target: Tensor, task: str) -> None:
        """Refuse a task that takes missing labels for labels."""
        if n := int(self._counts[task](target)):
            raise BadOption(
                f"`train_fraction` makes labels missing, class -1 or NaN. `valid_elements` of task "
                f"{task} counts {n} of {len(target)} missing labels as valid. Leave them out there "
                "and in the loss, or leave the task out of `train_fraction`."
            )


def _without(target: Any, hidden: Tensor, task: str) -> Tensor:
    """The target ``[B, ...]`` with what is hidden ``[B]`` missing."""
    import torch

    rule = f"`train_fraction` needs a target ``[B, ...]`` of class numbers or floats. Task {task}"
    if not isinstance(target, torch.Tensor) or target.shape[:1] != hidden.shape:
        shape = list(target.shape) if isinstance(target, torch.Tensor) else type(target).__name__
        raise BadShape(
            f"{rule} has {shape} for {len(hidden)} samples. Give it one row a sample, or leave the "
            "task out."
        )
    signed = target.dtype in (torch.int8, torch.int16, torch.int32, torch.int64)
    if not (signed or target.is_floating_point()):
        raise BadShape(
            f"{rule} has {target.dtype}, in which nothing can be missing. Use int64 or float32, or "
            "leave the task out."
        )
    rows = hidden.to(target.device).view(-1, *[1] * (target.ndim - 1))
    return target.masked_fill(rows, -1 if signed else math.nan)
