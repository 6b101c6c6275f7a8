"""CelebA: 40 attributes of faces, a task each.

Reading the card loads no torch, and of the files what is needed for their hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from trainers.cards import ProblemCard, TaskCard
from trainers.nets import ImageNetwork
from trainers.problems._label_tasks import METRICS, label_functions
from trainers.problems._options import check_at_least, check_names, check_task
from trainers.problems.errors import BadOption
from trainers.problems.files.on_disk import FREE_OPTIONS, OnDisk

if TYPE_CHECKING:
    from torch import nn

    from trainers.problems.files.face_tree import FaceTree
    from trainers.problems.files.samples import Samples
    from trainers.problems.files.split import Names
    from trainers.protocol import TaskFunctions

ATTRIBUTES: Final = (
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs"),
    *("Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair"),
    *("Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair"),
    *("Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache"),
    *("Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline"),
    *("Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings"),
    *("Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young"),
)


@dataclass(frozen=True, kw_only=True)
class CelebA(OnDisk):
    """Which attributes a face has (Liu et al. 2015).

    Attributes:
        attributes: Those that are tasks, in this order; all 40 by default.
        metrics: What each task is judged by: some of ``error_rate``, ``accuracy``, ``f1`` and
            ``auroc``, the primary one first.
        layers: Of the ResNet.
        width: Of its narrow part; other than 64 from 50 layers on.
        pretrained: File with torchvision's weights of it; empty for none.
        size: Side that faces are shrunk to, in pixels.
        train_samples: Faces to train on, by the official split.
        validation_samples: Faces to select by, by the official split.
        test_samples: Faces to judge by, by the official split.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "celeba"

    attributes: Sequence[str] = ATTRIBUTES
    metrics: Sequence[str] = ("error_rate",)
    layers: int = 18
    width: int = 64
    pretrained: str = ""
    size: int = 64
    train_samples: int = 162_770
    validation_samples: int = 19_867
    test_samples: int = 19_962

    def __post_init__(self) -> None:
        super().__post_init__()
        for option, known in (("attributes", ATTRIBUTES), ("metrics", METRICS)):
            chosen = check_names(option, getattr(self, option), known)
            object.__setattr__(self, option, chosen)
        check_at_least("size", self.size, 32)
        check_at_least("train_samples", self.train_samples, 1)
        check_at_least("test_samples", self.test_samples, 1)
        if self.split_seed:
            raise BadOption(
                "`split_seed` must be 0: CelebA has an official split with a validation part. Got "
                f"{self.split_seed}. Drop it."
            )
        _ = self._network

    @property
    def targets(self) -> Mapping[str, str]:
        """Task to the array that it is judged by."""
        return {name: name for name in self.attributes}

    @property
    def transform(self) -> None:
        """Training samples are as they are."""

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        return ProblemCard(
            name=self.name,
            title=f"CelebA: {len(self.attributes)} attributes of faces",
            kind="real",
            source="files of yours, as their authors give them away (Liu et al. 2015)",
            data_version=self.data_version,
            tasks=tuple(
                TaskCard(
                    name=name,
                    title=name.replace("_", " "),
                    loss="binary cross-entropy",
                    metrics=tuple(METRICS[metric] for metric in self.metrics),
                    classes=2,
                )
                for name in self.attributes
            ),
            packages=("PIL", "torchvision"),
            sizes={
                "train": self.train_samples,
                "validation": self.validation_samples,
                "test": self.test_samples,
            },
            network=f"{self._network.title}, on {self.size}x{self.size}; linear heads",
            convolutional=True,
            images="labelled",
            free_options=(*FREE_OPTIONS, "pretrained"),  # of which the network's title has the hash
            missing=self.missing,
            licence="CelebA (Liu et al. 2015): for research that is not commercial",
            caveats=(
                "Many attributes are rare, and always saying no is right for most faces: error "
                "rates are small, and differences between them smaller.",
                "Faces are shrunk by pillow, whose pixels may differ by a step from version to "
                "version.",
            ),
        )

    def samples(self, root: Path) -> FaceTree:
        """The faces in a folder."""
        from trainers.problems.files.face_tree import FaceTree

        return FaceTree(
            root=root,
            size=self.size,
            attributes=tuple(self.attributes),
            n_samples={
                "train": self.train_samples,
                "validation": self.validation_samples,
                "test": self.test_samples,
            },
        )

    def split(self, samples: Samples) -> Names:
        """The official one."""
        return samples.names

    def paths(self, samples: Samples) -> Iterator[str]:
        """All faces and the two lists."""
        from trainers.problems.files.face_lists import ATTRIBUTES_FILE, PARTITION_FILE

        yield from (ATTRIBUTES_FILE, PARTITION_FILE)
        yield from super().paths(samples)

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 3, size, size]`` to features ``[B, F]``."""
        return self._network.trunk()

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, F]`` to a logit ``[B, 1]``.

        Raises:
            UnknownTask: There is no such task.
        """
        check_task(task, self.attributes)
        return self._network.head(1)

    def functions(self, task: str) -> TaskFunctions:
        """Binary cross-entropy, and the metrics that were chosen.

        Raises:
            UnknownTask: There is no such task.
        """
        check_task(task, self.attributes)
        return label_functions(self.metrics)

    @property
    def _network(self) -> ImageNetwork:
        return ImageNetwork(
            name="resnet",
            width=self.width,
            layers=self.layers,
            pretrained=self.pretrained,
            among=("resnet",),
        )
