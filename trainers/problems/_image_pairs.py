"""Multi-MNIST at full size: pairs of the digits, or of the clothes, that the user has as IDX files.

Reading the card loads no torch, and of the files what is needed for their hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._options import check_at_least, check_choice, check_task
from trainers.problems.errors import BadOption
from trainers.problems.files.user_files import UserFiles
from trainers.problems.files.where import found_root

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._source import ByteSource
    from trainers.problems.files.idx import IdxSet
    from trainers.problems.files.split import Names
    from trainers.protocol import TaskFunctions

PAIRING_VERSION = 1  # to be raised when the same options would give other pairs or pixels

SIDE: Final = 28
_SHIFT: Final = 8
_N_CLASSES: Final = 10
_ERROR_RATE = MetricCard(name="error_rate", title="Error rate", direction="min")
TASKS: Final = ("left", "right")


@dataclass(frozen=True, kw_only=True)
class ImagePairs(UserFiles["IdxSet"]):
    """Two overlapping pictures: what is the left one, what the right one.

    Attributes:
        network: Trunk: a LeNet that ends in `width` features, or two linear layers.
        size: Side of the images that the network sees: 36, as composed, or shrunk to 28.
        train_samples: Pictures in the training files, those held out for validation included.
        test_samples: Pictures in the test files.
        validation_samples: Training pictures that are held out to select by.
        train_pairs: Pairs to train on.
        validation_pairs: Pairs to select by.
        test_pairs: Pairs to judge by.

    Raises:
        BadOption: An option is out of range.
    """

    title: ClassVar[str]
    licence: ClassVar[str]
    folders: ClassVar[tuple[str, ...]]
    """Where torchvision and others put the files below `root`."""

    network: Literal["lenet", "mlp"] = "lenet"
    width: int = 80
    size: Literal[28, 36] = 28
    train_samples: int = 60_000
    test_samples: int = 10_000
    validation_samples: int = 10_000
    train_pairs: int = 50_000
    validation_pairs: int = 10_000
    test_pairs: int = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("network", self.network, ("lenet", "mlp"))
        check_choice("size", self.size, (SIDE, SIDE + _SHIFT))
        for name in ("width", *self._n_pairs.values()):
            check_at_least(name, getattr(self, name), 1)
        for name in ("validation_samples", "test_samples"):  # each class is in each split
            check_at_least(name, getattr(self, name), _N_CLASSES)
        check_at_least("train_samples", self.train_samples, 2)
        if self.validation_samples >= self.train_samples:
            raise BadOption(
                "`validation_samples` are held out of `train_samples`, and must be fewer. Got "
                f"{self.validation_samples:,} of {self.train_samples:,}. Lower them."
            )

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        sizes = {split: int(getattr(self, name)) for split, name in self._n_pairs.items()}
        return ProblemCard(
            name=self.name,
            title=self.title,
            kind="composed",
            source="IDX files of yours",
            data_version={**self.data_version, "pairing": PAIRING_VERSION},
            tasks=tuple(
                TaskCard(
                    name=task,
                    title=f"Class of the {task} picture",
                    loss="cross-entropy",
                    metrics=(_ERROR_RATE,),
                    classes=_N_CLASSES,
                )
                for task in TASKS
            ),
            sizes=sizes,
            network=self._network_title,
            convolutional=self.network == "lenet",
            images="labelled",
            free_options=("root",),
            missing=self.missing,
            licence=self.licence,
            distinct={split: min(n, self._n_pictures[split]) for split, n in sizes.items()},
            caveats=(
                "Pairs are composed of real pictures, which are split before they are paired; "
                "validation is held out of the training files.",
            ),
        )

    def samples(self, root: Path) -> IdxSet:
        """The files in a folder."""
        from trainers.problems.files.idx import IdxSet

        return IdxSet(
            root=root,
            folders=self.folders,
            side=SIDE,
            n_samples=self._n_files,
            splits=self._names,
        )

    def split(self, samples: IdxSet) -> Names:
        """Names of the pictures of each split; validation comes out of training pictures."""
        return samples.splits

    def paths(self, samples: IdxSet) -> Iterable[str]:
        """The four files."""
        return [str(path.relative_to(samples.root)) for path in samples.paths.values()]

    def sources(self, device: device) -> dict[str, ByteSource]:
        """The splits, images ``[N, 1, size, size]`` in 0 to 1.

        Raises:
            DataMissing: Nobody has said where the files are, or there is nothing.
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        from trainers.problems._pairs import PairLayout, paired_sources

        samples = self.samples(found_root(self.name, self.root))
        rows = {
            split: [int(name.partition("/")[2]) for name in names]
            for split, names in samples.splits.items()
        }
        train, test = samples.read("train"), samples.read("test")
        return paired_sources(
            {"train": train, "validation": train, "test": test},
            rows=rows,
            n_pairs={split: getattr(self, name) for split, name in self._n_pairs.items()},
            split_seed=self.split_seed,
            layout=PairLayout(shift=_SHIFT, side=self.size),
            device=device,
        )

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 1, size, size]`` to features ``[B, width]``."""
        from trainers.nets import LeNet, Mlp

        if self.network == "lenet":
            return LeNet(self.size, self.width)
        return Mlp(self.size**2, (self.width, self.width))

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, width]`` to ten logits.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import linear_head

        check_task(task, TASKS)
        return linear_head(self.width, _N_CLASSES)

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and error rate.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._losses import cross_entropy
        from trainers.problems._metrics import ErrorRate
        from trainers.protocol import TaskFunctions

        check_task(task, TASKS)
        return TaskFunctions(loss=cross_entropy, metrics={_ERROR_RATE.name: ErrorRate()})

    @cached_property
    def _names(self) -> Names:
        from trainers.problems.files.split import carved

        names = {
            split: [f"{split}/{number}" for number in range(n)]
            for split, n in self._n_files.items()
        }
        found = carved(names["train"], self.validation_samples, self.split_seed)
        return {**found, "test": names["test"]}

    @property
    def _n_files(self) -> Mapping[str, int]:
        return {"train": self.train_samples, "test": self.test_samples}

    @property
    def _n_pairs(self) -> Mapping[str, str]:
        return {
            "train": "train_pairs",
            "validation": "validation_pairs",
            "test": "test_pairs",
        }

    @property
    def _n_pictures(self) -> Mapping[str, int]:
        return {
            "train": self.train_samples - self.validation_samples,
            "validation": self.validation_samples,
            "test": self.test_samples,
        }

    @property
    def _network_title(self) -> str:
        if self.network == "lenet":
            return f"LeNet on {self.size}x{self.size}, width {self.width}; linear heads"
        return f"MLP {self.size**2}-{self.width}-{self.width}; linear heads"
