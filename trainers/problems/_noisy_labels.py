"""A problem of which some tasks have wrong labels on purpose: in training and validation.

Test labels stay clean. Of data in memory, the true labels are gone once it is loaded; of streamed
data they are replaced in each batch. In either case nobody who trains or selects sees them; who
judges the mending of labels reads them anew, see `NoisyLabels.true_labels`.

Shapes: N samples of a split, B batch, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from trainers.cards import ProblemCard, TaskCard
from trainers.problems._noise import DRAW_VERSION, Noise, NoiseDraws, noise_key
from trainers.problems._numbered import NumberedSource
from trainers.problems._wrapped import WrappedProblem
from trainers.problems.errors import BadOption, BadShape
from trainers.protocol import Source
from trainers.suggestions import did_you_mean, shown

if TYPE_CHECKING:
    from torch import Tensor, device

SPLITS: Final = ("train", "validation")
"""Whose labels are noisy."""
_READ_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class NoisyLabels(WrappedProblem):
    """A problem, and the noise on the labels of some of its tasks.

    Raises:
        BadOption: There is no such task, its labels are no classes, or the noise is of another
            number of classes, or the problem has noise of its own.
    """

    noise: Noise

    def __post_init__(self) -> None:
        if getattr(self.problem, "has_noise", False):
            raise BadOption(
                f"`label_noise` goes with clean labels. Problem {self.problem.card.name} has noise "
                "by itself. Set its `kind` and `rate` in [problem_options] instead."
            )
        for task in self.noise.tasks:
            _check_classes(self._card_of(task), self.noise)

    @property
    def card(self) -> ProblemCard:
        """That of the problem; how many labels are wrong is part of its data, and told."""
        card = self.problem.card
        noise = {**self.noise.to_plain(), "": DRAW_VERSION}
        return replace(
            card,
            data_version={"data": card.data_version, "noise": noise},
            caveats=(*card.caveats, *(self._told(task) for task in self.noise.tasks)),
        )

    def sources(self, device: device) -> dict[str, Source]:
        """The splits, those of training and validation with the labels that are given.

        Raises:
            BadShape: Labels are not class numbers, a sample each.
            BadOption: A class has no label left in training.
        """
        from trainers.problems._source import TensorSource

        found = dict(self.problem.sources(device))
        for split in SPLITS:
            if (clean := found.get(split)) is None:
                continue
            noisy = _Noisy(clean, self._draws(split, clean.size))
            found[split] = noisy
            if isinstance(clean, TensorSource):
                given = noisy.of_all(clean.targets)
                if split == "train":
                    _refuse_vanished(clean.targets, given, noisy.draws)
                found[split] = replace(clean, targets=given)
        return found

    def true_labels(self, task: str, split: str) -> Tensor | None:
        """Labels ``[N]`` without the noise; None of a task that has none. For evaluation alone."""
        import torch

        from trainers.randomness import Key

        if task not in self.noise.tasks or split not in SPLITS:
            return None
        clean = self.problem.sources(torch.device("cpu"))[split]
        n_classes = self._card_of(task).classes or 0
        parts = []
        for batch in clean.batches(None, _READ_AT_ONCE, Key("truth")):
            target = batch.targets[task]
            classes, there = _classes_of(target, len(target), n_classes, task)
            parts.append(classes.where(there, -1).cpu())
        return torch.cat(parts)

    def _draws(self, split: str, size: int) -> dict[str, tuple[NoiseDraws, int]]:
        """Task to what decides on its labels in a split, and its number of classes."""
        key = noise_key(self.problem.card.data_version, self.noise.seed)
        return {
            task: (self.noise.draws(key / task / split, size, n_classes), n_classes)
            for task in self.noise.tasks
            if (n_classes := self._card_of(task).classes) is not None
        }

    def _card_of(self, task: str) -> TaskCard:
        cards = {card.name: card for card in self.problem.card.tasks}
        if task not in cards:
            raise BadOption(
                f"`label_noise` must name tasks of the problem: {', '.join(cards)}. Got `{task}`."
                f"{did_you_mean(task, cards)} Use their names."
            )
        return cards[task]

    def _told(self, task: str) -> str:
        """The noise of a task in a sentence or two: how many labels are wrong, never which."""
        noise, sizes = self.noise, self.problem.card.sizes
        if noise.kind == "matrix":
            least, most = (100 * share for share in noise.off_diagonal())
            wrong = f"{least:.3g} to {most:.3g} % of each class's labels in {' and '.join(SPLITS)}"
            how = "drawn by the given matrix"
        else:
            wrong = " and ".join(
                f"{noise.n_wrong(sizes[split]):,} of {sizes[split]:,} labels in {split}"
                for split in SPLITS
            )
            how = "the next class" if noise.kind == "pair" else "one of the other classes"
        return (
            f"Task {task} has wrong labels on purpose: {wrong}, {how} (noise seed {noise.seed}). "
            "Every choice on validation, and a baseline, sees these; its test labels are clean."
        )


class _Noisy(NumberedSource):
    """A split with the labels that are given.

    Args:
        draws: Task to what decides on its labels, and its number of classes.
    """

    def __init__(self, source: Source, draws: Mapping[str, tuple[NoiseDraws, int]]) -> None:
        super().__init__(source)
        self.draws = draws

    def changed(self, targets: Mapping[str, Any], rows: Tensor) -> dict[str, Any]:
        """With the labels that are given; missing ones stay missing.

        Raises:
            BadShape: Labels are not class numbers, a sample each.
        """
        found = dict(targets)
        for task, (draws, n_classes) in self.draws.items():
            target = found[task]
            classes, there = _classes_of(target, len(rows), n_classes, task)
            given = draws.given(classes, rows, n_classes).to(target.dtype)
            found[task] = given.where(there, target)
        return found

    def of_all(self, targets: Mapping[str, Any]) -> dict[str, Any]:
        """The same of all samples at once."""
        import torch

        return self.changed(targets, torch.arange(self.size))


def _check_classes(card: TaskCard, noise: Noise) -> None:
    """Refuse tasks that cannot have the noise, before any data is read."""
    if card.classes is None:
        raise BadOption(
            f"`label_noise` needs a task of one class a sample, with `classes` on its card. Task "
            f"{card.name} ({card.loss}) has none. Choose another, or, if it is one, write how many "
            "classes it has on its TaskCard."
        )
    if noise.kind == "matrix" and len(noise.rows) != card.classes:
        raise BadOption(
            f"`rows` of label noise must have a row and a column for each of the {card.classes} "
            f"classes of task {card.name}. Got {len(noise.rows)}. Write as many."
        )


def _classes_of(target: Any, n: int, n_classes: int, task: str) -> tuple[Tensor, Tensor]:
    """Class numbers ``[B]``, 0 where there is none, and where there are labels ``[B]``."""
    import torch

    rule = (
        f"`label_noise` needs targets ``[B]`` of classes 0 to {n_classes - 1}, missing ones -1 or "
        f"NaN. Task {task}"
    )
    if not isinstance(target, torch.Tensor) or target.shape != (n,):
        shape = list(target.shape) if isinstance(target, torch.Tensor) else type(target).__name__
        raise BadShape(
            f"{rule} has {shape} for {n} samples. Give it one number a sample, or leave it out."
        )
    there = ~target.isnan() if target.is_floating_point() else target != -1
    labels = target.where(there, 0)
    classes = labels.to(torch.int64)
    odd = labels[(classes != labels) | (classes < 0) | (classes >= n_classes)]
    if len(odd):
        raise BadShape(
            f"{rule} has {shown(odd[0].item())}. Mend the target, or `classes` on the card."
        )
    return classes, there


def _refuse_vanished(
    true: Mapping[str, Tensor],
    given: Mapping[str, Tensor],
    draws: Mapping[str, tuple[NoiseDraws, int]],
) -> None:
    """Refuse noise after which nobody can learn a class."""
    for task, (_, n_classes) in draws.items():
        for number in range(n_classes):
            n = int((true[task] == number).sum())
            if n and not (given[task] == number).any():
                raise BadOption(
                    f"`label_noise` must leave each class of training a label. Class {number} of "
                    f"task {task} vanishes: all of its {n:,} labels became others. Lower the rate, "
                    "take another `seed` of the noise, or more samples."
                )
