"""53,573 cut diamonds: what a stone costs, how well it is cut, how wide its table is.

Real measurements in plenty: validation and test tell small differences apart, as the few embedded
images cannot. Reading the card loads neither torch nor data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
_INPUTS = 19
_ERROR_RATE = MetricCard(name="error_rate", title="Error rate", direction="min")
TASKS = (
    TaskCard(
        name="price",
        title="Logarithm of the price",
        loss="L1",
        metrics=(MetricCard(name="mae", title="Mean absolute error", direction="min"),),
    ),
    TaskCard(
        name="cut",
        title="Grade of the cut",
        loss="cross-entropy",
        metrics=(_ERROR_RATE,),
    ),
    TaskCard(
        name="table",
        title="Width of the table",
        loss="L1",
        metrics=(MetricCard(name="mae", title="Mean absolute error", direction="min", unit="%"),),
    ),
)
OUTPUTS = {"price": 1, "cut": 5, "table": 1}


@dataclass(frozen=True, kw_only=True)
class Diamonds:
    """From weight, shape, colour and clarity of a stone to its price, cut and table.

    Attributes:
        width: Units of each of the trunk's two layers.
        split_seed: Which stones go to which split.

    Raises:
        BadOption: An option is out of range.
    """

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
            name=FILE.problem,
            title="Diamonds: price, cut and table of cut stones",
            kind="real",
            source=f"{FILE.distribution}: {FILE.package}/{FILE.path}",
            data_version=f"sha256:{FILE.sha256}, selection {SELECTION_VERSION}",
            tasks=TASKS,
            packages=(FILE.package,),
            sizes=self._sizes,
            network=f"MLP {_INPUTS}-{self.width}-{self.width}; linear heads",
            licence="plotnine: MIT; data: ggplot2 (Wickham, 2009), prices of 2008",
            caveats=(
                "Cut is graded by depth, table and finish, and learned as a class: an error of "
                "one grade counts as much as one of four.",
            ),
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, inputs ``[N, 19]``: four measures, and a column for each grade.

        Raises:
            MissingPackage: The package with the file is not installed.
            DataMissing: The package has no such file.
            DataChanged: The file is not the known one.
        """
        from trainers.problems._stones import stone_sources, stones

        columns = load(FILE, stones, cache=cache_folder())
        return stone_sources(columns, sizes=self._sizes, split_seed=self.split_seed, device=device)

    def trunk(self) -> nn.Module:
        """The shared part: stones ``[B, 19]`` to features ``[B, width]``."""
        from trainers.nets import Mlp

        return Mlp(_INPUTS, (self.width, self.width))

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, width]`` to five logits, or to one number ``[B, 1]``.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import linear_head

        check_task(task, OUTPUTS)
        return linear_head(self.width, OUTPUTS[task])

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and error rate of the cut, L1 and mean absolute error of the others.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._losses import cross_entropy, l1
        from trainers.problems._metrics import ErrorRate, MeanAbsoluteError
        from trainers.protocol import TaskFunctions

        check_task(task, OUTPUTS)
        if task == "cut":
            return TaskFunctions(loss=cross_entropy, metrics={"error_rate": ErrorRate()})
        return TaskFunctions(loss=l1, metrics={"mae": MeanAbsoluteError()})

    @property
    def _sizes(self) -> Mapping[str, int]:
        return {
            "train": self.train_stones,
            "validation": self.validation_stones,
            "test": self.test_stones,
        }
