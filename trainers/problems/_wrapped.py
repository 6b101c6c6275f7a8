"""What stands around a problem, and changes some of it: all else is the problem's own.

Shapes: N samples of a split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from trainers.cards import ProblemCard
from trainers.problems.regions import evaluation_regions
from trainers.protocol import Problem, Source, TaskFunctions, labelled_samples, true_labels

if TYPE_CHECKING:
    from torch import Tensor, device, nn

    from trainers.problems.regions import Region


@dataclass(frozen=True, slots=True)
class WrappedProblem:
    """A problem as it is, its optional methods included."""

    problem: Problem

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        return self.problem.card

    @property
    def has_noise(self) -> bool:
        """Whether labels are wrong by themselves, see `NoisyLabels`."""
        return bool(getattr(self.problem, "has_noise", False))

    def with_labels(self, labelled: Callable[[str, int], Tensor], of: Sequence[str]) -> Self:
        """The same, of a problem that looks at labels of the samples ``[n]`` that keep them."""
        found = getattr(self.problem, "with_labels", None)
        return replace(self, problem=found(labelled, of)) if found else self

    def labelled_samples(self, n_samples: int) -> Mapping[str, Tensor]:
        """Of tasks that lack labels of training samples: those that have one, ``[n]``, int64."""
        return labelled_samples(self.problem, n_samples)

    def true_labels(self, task: str, split: str) -> Tensor | None:
        """Labels ``[N]`` without what made them wrong, int64; None if nothing did."""
        return true_labels(self.problem, task, split)

    def evaluation_regions(self, split: str) -> Sequence[Sequence[Region]]:
        """Lesions of each image, ``[N]``; empty if the problem knows of none."""
        return evaluation_regions(self.problem, split)

    def sources(self, device: device) -> Mapping[str, Source]:
        """The splits."""
        return self.problem.sources(device)

    def trunk(self) -> nn.Module:
        """The shared part."""
        return self.problem.trunk()

    def head(self, task: str) -> nn.Module:
        """The part of one task."""
        return self.problem.head(task)

    def functions(self, task: str) -> TaskFunctions:
        """Loss and metrics of one task."""
        return self.problem.functions(task)
