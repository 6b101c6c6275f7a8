"""53,573 cut diamonds: what a stone costs, how well it is cut, how wide its table is.

Real measurements in plenty: validation and test tell small differences apart, as the few embedded
images cannot. Reading the card loads neither torch nor data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._embedded import EmbeddedFile, cache_folder, load
from trainers.problems._options import check_at_least, check_task
from trainers.problems.errors import BadOption

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._source import TensorSource
    from trainers.protocol import TaskFunctions

SELECTION_VERSION = 1  # to be raised when the same options would give other stones or numbers

FILE = EmbeddedFile(
    problem="diamonds",
    distribution="plotnine",
    package="plotnine",
    path="data/diamonds.csv",
    sha256="9574730b03aba241d899c4a97511c5061b19358fab89510774fb6c24168345c4",
)
_N_STONES = 53_573
_ERROR_RATE = MetricCard(name="error_rate", title="Error rate", direction="min")
_MAE = MetricCard(name="mae", title="Mean absolute error", direction="min")
_PRICE = TaskCard(name="price", title="Logarithm of the price", loss="L1", metrics=(_MAE,))


def _graded(name: str, title: str, grades: int) -> TaskCard:
    return TaskCard(
        name=name, title=title, loss="cross-entropy", metrics=(_ERROR_RATE,), classes=grades
    )


def _measured(name: str, title: str, unit: str) -> TaskCard:
    return TaskCard(name=name, title=title, loss="L1", metrics=(replace(_MAE, unit=unit),))


_CUT = _graded("cut", "Grade of the cut", 5)


@dataclass(frozen=True, kw_only=True)
class Diamonds:
    """From weight, shape, colour and clarity of a stone to its price, cut and table.

    Attributes:
        width: Units of each of the trunk's two layers.
        split_seed: Which stones go to which split.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = FILE.problem
    title: ClassVar[str] = "Diamonds: price, cut and table of cut stones"
    tasks: ClassVar[Sequence[TaskCard]] = (
        _PRICE,
        _CUT,
        _measured("table", "Width of the table", "%"),
    )
    outputs: ClassVar[Mapping[str, int]] = {"price": 1, "cut": 5, "table": 1}
    n_inputs: ClassVar[int] = 19

    width: int = 128
    train_stones: int = 16_000
    validation_stones: int = 5_000
    test_stones: int = 5_000
    split_seed: int = 0

    def __post_init__(self) -> None:
        for name in ("width", "train_stones", "validation_stones", "test_stones"):
            check_at_least(name, getattr(self, name), 1)
        check_at_least("split_seed", self.split_seed, 0)
        if (wanted := sum(self._sizes.values())) > _N_STONES:
            raise BadOption(
                f"The splits must have at most {_N_STONES:,} stones together. Got {wanted:,}. "
                "Lower `train_stones`, `validation_stones` or `test_stones` in [problem_options]."
            )

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        return ProblemCard(
            name=self.name,
            title=self.title,
            kind="real",
            source=f"{FILE.distribution}: {FILE.package}/{FILE.path}",
            data_version=f"sha256:{FILE.sha256}, selection {SELECTION_VERSION}",
            tasks=tuple(self.tasks),
            packages=(FILE.package,),
            sizes=self._sizes,
            network=f"MLP {self.n_inputs}-{self.width}-{self.width}; linear heads",
            licence="plotnine: MIT; data: ggplot2 (Wickham, 2009), prices of 2008",
            caveats=(
                "Cut is graded by depth, table and finish, and learned as a class: an error of "
                "one grade counts as much as one of four.",
            ),
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, inputs ``[N, n_inputs]``.

        These are four measures and a column for each grade; of `DiamondsFive`, five measures.

        Raises:
            MissingPackage: The package with the file is not installed.
            DataMissing: The package has no such file.
            DataChanged: The file is not the known one.
        """
        from trainers.problems._stones import stone_sources, stones

        columns = load(FILE, stones, cache=cache_folder())
        return stone_sources(
            self.name, columns, sizes=self._sizes, split_seed=self.split_seed, device=device
        )

    def trunk(self) -> nn.Module:
        """The shared part: stones ``[B, n_inputs]`` to features ``[B, width]``."""
        from trainers.nets import Mlp

        return Mlp(self.n_inputs, (self.width, self.width))

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, width]`` to a logit a grade, or to one number ``[B, 1]``.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import linear_head

        check_task(task, self.outputs)
        return linear_head(self.width, self.outputs[task])

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and error rate of grades, L1 and mean absolute error of the others.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._losses import cross_entropy, l1
        from trainers.problems._metrics import ErrorRate, MeanAbsoluteError
        from trainers.protocol import TaskFunctions

        check_task(task, self.outputs)
        if self.outputs[task] > 1:
            return TaskFunctions(loss=cross_entropy, metrics={"error_rate": ErrorRate()})
        return TaskFunctions(loss=l1, metrics={"mae": MeanAbsoluteError()})

    @property
    def _sizes(self) -> Mapping[str, int]:
        return {
            "train": self.train_stones,
            "validation": self.validation_stones,
            "test": self.test_stones,
        }


@dataclass(frozen=True, kw_only=True)
class DiamondsFive(Diamonds):
    """From the five measures of a stone to its price, weight and three grades; the same splits.

    Attributes:
        width: Units of each of the trunk's two layers.
        split_seed: Which stones go to which split.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "diamonds-five"
    title: ClassVar[str] = "Diamonds: price, weight and three grades from five measures"
    tasks: ClassVar[Sequence[TaskCard]] = (
        _PRICE,
        _measured("carat", "Weight", "carat"),
        _CUT,
        _graded("color", "Grade of the colour", 7),
        _graded("clarity", "Grade of the clarity", 8),
    )
    outputs: ClassVar[Mapping[str, int]] = {
        "price": 1,
        "carat": 1,
        "cut": 5,
        "color": 7,
        "clarity": 8,
    }
    n_inputs: ClassVar[int] = 5
