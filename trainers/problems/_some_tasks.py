"""A problem of which a study asks some tasks only, as if there were no others.

Reading the card loads neither torch nor data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainers.cards import ProblemCard
from trainers.problems.errors import BadOption
from trainers.protocol import Problem, Source, TaskFunctions, labelled_samples, true_labels
from trainers.regions import evaluation_regions
from trainers.suggestions import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor, device, nn

    from trainers.regions import Region


@dataclass(frozen=True, slots=True)
class SomeTasks:
    """A problem and the tasks that are asked of it, in their order.

    Raises:
        BadOption: There is no such task.
    """

    problem: Problem
    tasks: Sequence[str]

    def __post_init__(self) -> None:
        known = self.problem.card.task_names
        for task in self.tasks:
            if task not in known:
                raise BadOption(
                    f"`tasks` must name tasks of the problem: {', '.join(known)}. Got `{task}`."
                    f'{did_you_mean(task, known)} Use their names, or "pairs" for all pairs.'
                )

    @property
    def card(self) -> ProblemCard:
        """That of the problem, with these tasks."""
        card = self.problem.card
        of = {task.name: task for task in card.tasks}
        left_out = [task for task in card.task_names if task not in self.tasks]
        told = f"Of its tasks, {', '.join(left_out)} is not asked here."
        return replace(
            card,
            tasks=tuple(of[task] for task in self.tasks),
            caveats=(*card.caveats, *([told] if left_out else [])),
        )

    @property
    def has_noise(self) -> bool:
        """Whether labels are wrong by themselves, see `NoisyLabels`."""
        return bool(getattr(self.problem, "has_noise", False))

    def with_labels(self, labelled: Callable[[str, int], Tensor], of: Sequence[str]) -> SomeTasks:
        """The same, of a problem that looks at labels of the samples ``[n]`` that keep them."""
        found = getattr(self.problem, "with_labels", None)
        return replace(self, problem=found(labelled, of)) if found else self

    def labelled_samples(self, n_samples: int) -> Mapping[str, Tensor]:
        """Those of the problem, ``[n]`` in int64, of the tasks that are asked."""
        found = labelled_samples(self.problem, n_samples)
        return {task: numbers for task, numbers in found.items() if task in self.tasks}

    def true_labels(self, task: str, split: str) -> Tensor | None:
        """Those of the problem, ``[N]``; None if it has none."""
        return true_labels(self.problem, task, split)

    def sources(self, device: device) -> Mapping[str, Source]:
        """The splits, as the problem has them."""
        return self.problem.sources(device)

    def evaluation_regions(self, split: str) -> Sequence[Sequence[Region]]:
        """Those of the problem, ``[N]``; empty if it knows of none."""
        return evaluation_regions(self.problem, split)

    def trunk(self) -> nn.Module:
        """That of the problem."""
        return self.problem.trunk()

    def head(self, task: str) -> nn.Module:
        """That of the problem."""
        return self.problem.head(task)

    def functions(self, task: str) -> TaskFunctions:
        """Those of the problem."""
        return self.problem.functions(task)
