"""An invariance laboratory: does a factor on a task's loss change what is learned?

Elich et al., Examining Common Paradigms in Multi-Task Learning, GCPR 2024, arXiv 2311.04698,
appendix. A small network learns two multiples of its input under losses times the scales; beside
it, step by step, a twin of the same initial weights learns the same under scales of 1. Recorded is
how far their weights are apart. Reading the card loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Never

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._options import check_choice, check_task
from trainers.problems.errors import BadOption
from trainers.suggestions import shown

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._source import TensorSource
    from trainers.protocol import TaskFunctions

TASKS: Final = ("first", "second", "first_twin", "second_twin")
_LOW, _HIGH = 1e-6, 1e6
_METRICS: Final = (
    MetricCard(name="head_gap", title="Largest gap of the head's weights", direction="min"),
    MetricCard(name="trunk_gap", title="Largest gap of the trunk's weights", direction="min"),
)


@dataclass(frozen=True, kw_only=True)
class ScaledLosses:
    """Two tasks under scaled losses, and their twins.

    Attributes:
        scales: Factors on the losses of `first` and `second`; the twins' are 1.
        frozen: Whether the trunks stay as they are at first.

    Raises:
        BadOption: An option is out of range.
    """

    scales: tuple[float, float] = (10.0, 0.1)
    frozen: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", _checked(self.scales))
        check_choice("frozen", self.frozen, (True, False))

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        (first, second), frozen = self.scales, "frozen " if self.frozen else ""
        return ProblemCard(
            name="scaled-losses",
            title="Scaled losses: two tasks and their twins, whose losses are as they are",
            kind="synthetic",
            source="Elich et al. 2024, arXiv 2311.04698",
            data_version=1,
            tasks=tuple(
                TaskCard(name=task, title=_title(task), loss="scaled L1", metrics=_METRICS)
                for task in TASKS
            ),
            sizes={"train": 256, "validation": 64, "test": 64},
            network=f"twice {frozen}2 x 20 LeakyReLU + two heads of 2 layers",
            caveats=(
                f"Losses of first and second are scaled by {first:g} and {second:g}.",
                "A network and its twin go by each other's losses if the weighting compares those "
                "of different tasks, and by each other's gradients if they are clipped together.",
                "A single-task network leaves one of the twins as it was at first.",
            ),
        )

    def with_labels(self, *_: object) -> Never:
        """Refuse to have fewer labels.

        Raises:
            BadOption: A network and its twin must learn from the same.
        """
        raise BadOption(
            "`train_fraction` goes with problems whose losses leave missing labels out. Those of "
            "`scaled-losses` do not: a network and its twin learn from the same labels. Drop it."
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits: uniform scalars and their multiples."""
        from trainers.problems._scaled import multiples

        return {split: multiples(split, n, TASKS, device) for split, n in self.card.sizes.items()}

    def trunk(self) -> nn.Module:
        """Both networks, heads included, so that their weights can be compared."""
        from trainers.problems._scaled import Twins

        return Twins(frozen=self.frozen)

    def head(self, task: str) -> nn.Module:
        """What concerns one task, without weights of its own.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._scaled import OneOfFour

        check_task(task, TASKS)
        return OneOfFour(TASKS.index(task))

    def functions(self, task: str) -> TaskFunctions:
        """The scaled loss, and the gaps.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._scaled import scaled_functions

        check_task(task, TASKS)
        return scaled_functions((*self.scales, 1.0, 1.0)[TASKS.index(task)])


def _title(task: str) -> str:
    name, _, twin = task.partition("_")
    return f"{name.capitalize()} multiple{', twin' if twin else ''}"


def _checked(scales: object) -> tuple[float, float]:
    found = scales if isinstance(scales, list | tuple) else ()
    numbers = [float(of) for of in found if type(of) in (int, float) and _LOW <= of <= _HIGH]
    if len(found) != 2 or len(numbers) != 2:
        raise BadOption(
            f"`scales` must be two numbers from {_LOW:g} to {_HIGH:g}, as in [8, 0.125]. Got "
            f"{shown(scales)}. Set it in [problem_options], or drop it for the default."
        )
    return numbers[0], numbers[1]
