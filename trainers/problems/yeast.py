"""2,417 genes of yeast and the 14 groups of functions that each may have: a task a group.

Many tasks of one kind and as uneven as real ones are: a group has 1.4 to 75 % of the genes.
Reading the card loads neither torch nor data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.cards import ProblemCard, TaskCard
from trainers.problems._embedded import EmbeddedFile, cache_folder, load
from trainers.problems._label_tasks import METRICS, label_functions
from trainers.problems._options import check_at_least, check_names, check_task

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._source import TensorSource
    from trainers.protocol import TaskFunctions

SELECTION_VERSION = 1  # to be raised when the same options would give other genes or numbers

FILE = EmbeddedFile(
    problem="yeast",
    distribution="river",
    package="river",
    path="datasets/yeast.csv.gz",
    sha256="2969cb4bab877a27adcbe17871fa0b378a1e54b98816cd6106b542ee450a1c09",
)
TASKS = tuple(f"class{number}" for number in range(1, 15))
_SIZES = {"train": 1_451, "validation": 483, "test": 483}
_INPUTS = 103


@dataclass(frozen=True, kw_only=True)
class Yeast:
    """From a gene's expression and phylogenetic profile to the groups of functions that it has.

    Attributes:
        width: Units of each of the trunk's two layers.
        metrics: What each task is judged by: some of ``auroc``, ``f1``, ``accuracy`` and
            ``error_rate``, the primary one first.
        split_seed: Which genes go to which split.

    Raises:
        BadOption: An option is out of range.
    """

    width: int = 128
    metrics: Sequence[str] = ("auroc", "f1", "accuracy")
    split_seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("width", self.width, 1)
        check_at_least("split_seed", self.split_seed, 0)
        object.__setattr__(self, "metrics", check_names("metrics", self.metrics, METRICS))

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        return ProblemCard(
            name=FILE.problem,
            title="Yeast: which of 14 groups of functions a gene has",
            kind="real",
            source=f"{FILE.distribution}: {FILE.package}/{FILE.path}",
            data_version=f"sha256:{FILE.sha256}, selection {SELECTION_VERSION}",
            tasks=tuple(
                TaskCard(
                    name=task,
                    title=f"Group of functions {number}",
                    loss="binary cross-entropy",
                    metrics=tuple(METRICS[name] for name in self.metrics),
                    classes=2,
                )
                for number, task in enumerate(TASKS, start=1)
            ),
            packages=(FILE.package,),
            sizes=_SIZES,
            network=f"MLP {_INPUTS}-{self.width}-{self.width}; linear heads",
            licence="river: BSD-3-Clause; data: Elisseeff and Weston (2001), by MULAN and OpenML",
            caveats=(
                "Groups of functions are as uneven as they are: the rarest has seven genes in "
                "validation and in test, so that a single gene moves its metrics visibly.",
                "The split is stratified by label and seeded, not the usual one of 1,500 and 917: "
                "figures of the literature are not to be compared.",
            ),
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, inputs ``[N, 103]``.

        Raises:
            MissingPackage: The package with the file is not installed.
            DataMissing: The package has no such file.
            DataChanged: The file is not the known one.
        """
        from trainers.problems._genes import gene_sources, genes

        columns = load(FILE, genes, cache=cache_folder())
        return gene_sources(columns, sizes=_SIZES, split_seed=self.split_seed, device=device)

    def trunk(self) -> nn.Module:
        """The shared part: genes ``[B, 103]`` to features ``[B, width]``."""
        from trainers.nets import Mlp

        return Mlp(_INPUTS, (self.width, self.width))

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, width]`` to a logit ``[B, 1]``.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import linear_head

        check_task(task, TASKS)
        return linear_head(self.width, 1)

    def functions(self, task: str) -> TaskFunctions:
        """Binary cross-entropy, and the metrics that were chosen.

        Raises:
            UnknownTask: There is no such task.
        """
        check_task(task, TASKS)
        return label_functions(self.metrics)
