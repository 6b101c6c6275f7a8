"""A problem of which a study asks some tasks only, as if there were no others.

Reading the card loads neither torch nor data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainers.cards import ProblemCard
from trainers.problems._wrapped import WrappedProblem
from trainers.problems.errors import BadOption
from trainers.protocol import labelled_samples
from trainers.suggestions import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class SomeTasks(WrappedProblem):
    """A problem and the tasks that are asked of it, in their order.

    Raises:
        BadOption: There is no such task.
    """

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

    def labelled_samples(self, n_samples: int) -> Mapping[str, Tensor]:
        """Those of the problem, ``[n]`` in int64, of the tasks that are asked."""
        found = labelled_samples(self.problem, n_samples)
        return {task: numbers for task, numbers in found.items() if task in self.tasks}
