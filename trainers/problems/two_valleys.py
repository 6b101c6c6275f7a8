"""CAGrad's toy: a point in the plane goes down two losses, from one of three starts.

Liu et al., Conflict-Averse Gradient Descent for Multi-task Learning, NeurIPS 2021, arXiv
2110.14048, appendix; with Adam: Elich et al., arXiv 2311.04698. The network is the point, x and y;
there is no data. Counted are the steps until it is where the mean of both losses is lowest. Reading
the card loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Never

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._options import check_at_least, check_task
from trainers.problems.errors import BadOption

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._source import TensorSource
    from trainers.protocol import TaskFunctions

TASKS: Final = ("first", "second")
_METRICS: Final = (
    MetricCard(name="steps", title="Steps to the lowest mean loss", direction="min", unit="steps"),
    MetricCard(name="gap", title="Mean loss above its minimum", direction="min"),
)


@dataclass(frozen=True, kw_only=True)
class TwoValleys:
    """Two losses of a point in the plane.

    Attributes:
        epoch_steps: Samples to train on, all alike: the steps of an epoch, at a batch size of 1.
        limit: What is recorded as steps while the point has not come near, and the most.

    Raises:
        BadOption: An option is out of range.
    """

    epoch_steps: int = 1_000
    limit: int = 100_000

    def __post_init__(self) -> None:
        check_at_least("epoch_steps", self.epoch_steps, 1)
        check_at_least("limit", self.limit, 1)

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        return ProblemCard(
            name="two-valleys",
            title="Two valleys: a point goes down two losses in the plane",
            kind="synthetic",
            source="Liu et al. 2021, arXiv 2110.14048",
            data_version=1,
            tasks=tuple(
                TaskCard(
                    name=task,
                    title=f"{task.capitalize()} loss",
                    loss="half of CAGrad's",
                    metrics=_METRICS,
                )
                for task in TASKS
            ),
            sizes={"train": self.epoch_steps, "validation": 1, "test": 1},
            network="a point in the plane",
            caveats=(
                "There is no data: validation and test are the same point as training.",
                "The start is drawn by the seed, one of three; seeds 0, 1 and 2 draw one each.",
                f"{self.limit} steps stand for: not near yet.",
            ),
        )

    def with_labels(self, *_: object) -> Never:
        """Refuse to have fewer labels.

        Raises:
            BadOption: There are none.
        """
        raise BadOption(
            "`train_fraction` needs labels, and `two-valleys` has no data. Drop it, or take "
            "another problem."
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits: nothing, as often as the card says."""
        from trainers.problems._valleys import nothing

        return {split: nothing(size, TASKS, device) for split, size in self.card.sizes.items()}

    def trunk(self) -> nn.Module:
        """The point, at the start that the seed draws."""
        from trainers.problems._valleys import Point

        return Point(self.limit)

    def head(self, task: str) -> nn.Module:
        """One of the losses, as a function of the point.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._valleys import Valley

        check_task(task, TASKS)
        return Valley(TASKS.index(task))

    def functions(self, task: str) -> TaskFunctions:
        """The loss, the steps and the gap.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._valleys import valley_functions

        check_task(task, TASKS)
        return valley_functions()
