"""What CIFAR-10 and CIFAR-100 share: files, splits, the network, and labels that people gave.

Reading the card loads no torch, and of the files what is needed for their hash.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.nets import ImageNetwork
from trainers.problems._options import check_at_least, check_choice, check_task
from trainers.problems.errors import BadOption
from trainers.problems.files.user_files import UserFiles
from trainers.problems.files.where import found_root

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, device, nn

    from trainers.problems._source import ByteSource
    from trainers.problems.files.cifar_files import CifarLayout, CifarSet
    from trainers.problems.files.split import Names
    from trainers.protocol import TaskFunctions

CLEAN: Final = "clean"
_ERROR_RATE: Final = MetricCard(name="error_rate", title="Error rate", direction="min")


@dataclass(frozen=True, kw_only=True)
class Cifar(UserFiles["CifarSet"]):
    """Small photos, a class each.

    Attributes:
        labels: ``clean``, or which of CIFAR-N's labels training and validation have.
        network: Trunk: a ResNet of torchvision, or two linear layers of `width`.
        width: Channels of the ResNet's narrow part, below 50 layers 64; or units of a layer.
        layers: Of the ResNet.
        train_samples: Images in all training files, those held out for validation included.
        test_samples: Images in the test file.
        validation_samples: Training images that are held out to select by.

    Raises:
        BadOption: An option is out of range.
    """

    title: ClassVar[str]
    classes: ClassVar[Mapping[str, tuple[str, int]]]
    """Task to its title and its number of classes."""
    people: ClassVar[Mapping[str, str]]
    """Each value of `labels` but ``clean``, with its key in CIFAR-N's file."""
    n_train_files: ClassVar[int]
    human_task: ClassVar[str]

    labels: str = CLEAN
    network: Literal["resnet", "mlp"] = "resnet"
    layers: int = 18
    width: int = 64
    train_samples: int = 50_000
    test_samples: int = 10_000
    validation_samples: int = 5_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("labels", self.labels, (CLEAN, *self.people))
        for name in ("train_samples", "test_samples", "validation_samples"):
            check_at_least(name, getattr(self, name), 1)
        if self.validation_samples >= self.train_samples or self.train_samples % self.n_train_files:
            raise BadOption(
                f"`train_samples` must be as many in each of {self.n_train_files} files, and more "
                f"than `validation_samples`, which are held out of them. Got "
                f"{self.train_samples:,} and {self.validation_samples:,}. Change them."
            )
        check_choice("network", self.network, ("resnet", "mlp"))
        check_at_least("width", self.width, 1)
        _ = self._network_title

    @property
    def has_noise(self) -> bool:
        """Whether its labels are wrong by themselves, so that a spec's noise would come on top."""
        return self.labels != CLEAN

    @property
    @abstractmethod
    def layout(self) -> CifarLayout:
        """What the files are called."""

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        return ProblemCard(
            name=self.name,
            title=self.title,
            kind="real",
            source="files of yours, as torchvision has them (Krizhevsky 2009)",
            data_version={**self.data_version, "labels": self.labels},
            tasks=tuple(
                TaskCard(
                    name=task,
                    title=title,
                    loss="cross-entropy",
                    metrics=(_ERROR_RATE,),
                    classes=n_classes,
                )
                for task, (title, n_classes) in self.classes.items()
            ),
            packages=("torchvision",) if self.network == "resnet" else (),
            sizes={
                "train": self.train_samples - self.validation_samples,
                "validation": self.validation_samples,
                "test": self.test_samples,
            },
            network=f"{self._network_title}, on 32x32; linear heads",
            convolutional=self.network == "resnet",
            images="labelled",
            free_options=("root",),
            missing=self.missing,
            caveats=("Images are not augmented.", *self._of_people),
        )

    def samples(self, root: Path) -> CifarSet:
        """The files in a folder."""
        from trainers.problems.files.cifar_files import CifarSet

        return CifarSet(
            root=root,
            layout=self.layout,
            n_samples={"train": self.train_samples, "test": self.test_samples},
            human=self.people.get(self.labels, ""),
            splits=self._names,
        )

    def split(self, samples: CifarSet) -> Names:
        """Names of the images of each split; validation comes out of training images."""
        return samples.splits

    def paths(self, samples: CifarSet) -> Iterable[str]:
        """All batches, and CIFAR-N's file where its labels are taken."""
        return [str(path.relative_to(samples.root)) for path in samples.paths]

    def sources(self, device: device) -> dict[str, ByteSource]:
        """The splits, images ``[N, 3, 32, 32]`` in 0 to 1.

        Raises:
            DataMissing: Nobody has said where the files are, or there is nothing.
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        import torch

        from trainers.problems._source import ByteSource

        samples = self.samples(found_root(self.name, self.root))
        files = {split: samples.read(split) for split in ("train", "test")}
        if samples.human:
            images, true = files["train"]
            files["train"] = images, self._given(samples, true)
        found = {}
        for split, names in samples.splits.items():
            images, labels = files["test" if split == "test" else "train"]
            rows = [int(name.partition("/")[2]) for name in names]
            found[split] = ByteSource(
                torch.from_numpy(images[rows]).to(device),
                {task: torch.from_numpy(of[rows]).to(device) for task, of in labels.items()},
            )
        return found

    def true_labels(self, task: str, split: str) -> Tensor | None:
        """Labels ``[N]`` before people gave theirs; None where they are the same.

        For evaluation alone.
        """
        import torch

        if not self.has_noise or task != self.human_task or split == "test":
            return None
        samples = self.samples(found_root(self.name, self.root))
        _, labels = samples.read("train")
        rows = [int(name.partition("/")[2]) for name in samples.splits[split]]
        return torch.from_numpy(labels[task][rows])

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 3, 32, 32]`` to features ``[B, F]``."""
        from trainers.nets import Mlp

        if self.network == "mlp":
            return Mlp(3 * 32 * 32, (self.width, self.width))
        return self._resnet.trunk()

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, F]`` to a logit a class.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import linear_head

        check_task(task, self.classes)
        n_classes = self.classes[task][1]
        if self.network == "mlp":
            return linear_head(self.width, n_classes)
        return self._resnet.head(n_classes)

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and error rate.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._losses import cross_entropy
        from trainers.problems._metrics import ErrorRate
        from trainers.protocol import TaskFunctions

        check_task(task, self.classes)
        return TaskFunctions(loss=cross_entropy, metrics={_ERROR_RATE.name: ErrorRate()})

    def _given(
        self, samples: CifarSet, true: Mapping[str, NDArray[np.int64]]
    ) -> dict[str, NDArray[np.int64]]:
        return {**true, self.human_task: samples.given(true[self.human_task])}

    @property
    def _of_people(self) -> Sequence[str]:
        if not self.has_noise:
            return ()
        return (
            f"Task {self.human_task} has labels that people gave ({self.labels}, CIFAR-N, Wei et "
            "al. 2022) in training and validation: some are wrong. Every choice on validation, "
            "and a baseline, sees these; its test labels are clean.",
        )

    @cached_property
    def _names(self) -> Names:
        from trainers.problems.files.split import carved

        train = [f"train/{number}" for number in range(self.train_samples)]
        test = [f"test/{number}" for number in range(self.test_samples)]
        return {**carved(train, self.validation_samples, self.split_seed), "test": test}

    @property
    def _network_title(self) -> str:
        if self.network == "mlp":
            return f"MLP 3072-{self.width}-{self.width}"
        return self._resnet.title

    @property
    def _resnet(self) -> ImageNetwork:
        return ImageNetwork(name="resnet", width=self.width, layers=self.layers, among=("resnet",))
